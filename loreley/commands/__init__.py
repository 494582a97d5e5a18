"""The tasks of `invoke`, in groups; each is a few lines over `loreley.ops`.

Modules of Loreley are imported where they are needed, so that `invoke --list` is quick.
"""
