"""What the search itself is worth: the archive and its islands against simpler ways to search."""
