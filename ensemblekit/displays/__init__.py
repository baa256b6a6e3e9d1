"""scikit-learn Displays: pictures of fitted models."""
