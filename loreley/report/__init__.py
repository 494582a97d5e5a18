"""A run told in one file, for somebody who was not there."""
