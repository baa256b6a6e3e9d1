"""A plan becomes cells: fitted, judged, timed and stored."""
