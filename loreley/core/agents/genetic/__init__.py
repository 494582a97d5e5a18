"""Offline genetic improvement of Python source; the operators' table is in `operators`."""
