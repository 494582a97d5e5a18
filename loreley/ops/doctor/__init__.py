"""What keeps a run from working, or has gone wrong in one, with what to change."""
