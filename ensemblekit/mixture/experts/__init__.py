"""Banks of experts: all the experts of a mixture, fitted and evaluated together."""
