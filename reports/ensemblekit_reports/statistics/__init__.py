"""What may be claimed from fold scores: one table, several tables, and nothing more than that."""
