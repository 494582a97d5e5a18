"""What a brief shows of real packages: the file that a known fix has changed, or not."""
