"""`top`: a run in the terminal, in views that keys lead through."""
