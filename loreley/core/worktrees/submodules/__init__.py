"""Submodules, checked out where the operator allows their remotes."""
