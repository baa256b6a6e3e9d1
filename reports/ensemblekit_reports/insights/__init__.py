"""What fitted mixtures and ensembles tell about themselves: collected once for each table, kept as plain data, shown on the page."""
