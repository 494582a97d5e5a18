"""A packing of circles in the unit square."""
