"""Figures as SVG, drawn from the report's plain data."""
