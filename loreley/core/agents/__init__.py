"""Agents: the operators that change code. Each fulfils the `Agent` protocol of `protocol.py`."""
