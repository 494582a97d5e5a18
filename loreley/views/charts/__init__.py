"""What charts of a run are drawn of."""
