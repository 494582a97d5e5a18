"""How a program in its sandbox asks the worker for a judgement of its worktree."""
