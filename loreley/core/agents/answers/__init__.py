"""Answers of chat models: read with tolerance, applied by strict rules."""
