"""Which code an agent is shown where not all of it has room."""
