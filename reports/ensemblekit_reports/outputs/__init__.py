"""What leaves a study beside its page: stored models, predictions, cards, records of runs, PDF."""
