"""States of a worktree that are judged while its agent is at work."""
