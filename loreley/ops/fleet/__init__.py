"""What an operator sees of all workers, and asks of a run, through the database alone."""
