"""What a run has found, and how it is taken out of it."""
