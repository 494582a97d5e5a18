"""What Loreley costs, as ratios to the bare commands for the same work."""
