"""What is to be compared, as a study says it: tables, models, folds, budgets."""
