"""What makes a repository of the user's ready to be evolved."""
