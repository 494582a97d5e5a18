"""Several runs in one state folder or one database, each with a name."""
