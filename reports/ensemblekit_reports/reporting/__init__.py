"""Results become a report as plain data."""
