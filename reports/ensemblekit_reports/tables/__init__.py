"""Raw tables become numbers and codes."""
