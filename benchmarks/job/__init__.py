"""What a job costs in a whole run: processor, processes, memory and disk, beside the least."""
