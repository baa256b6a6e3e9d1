"""Gates: which expert is asked for a row, and how much it counts."""
