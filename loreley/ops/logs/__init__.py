"""What the processes have said: found, read, shown and followed."""
