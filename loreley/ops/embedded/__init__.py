"""The queue server that runs beside the tasks where none is configured."""
