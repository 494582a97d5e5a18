"""Whether the queue server is fit to work with."""
