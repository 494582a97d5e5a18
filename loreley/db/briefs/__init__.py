"""What a brief is made of beside its base and inspirations: people's notes, findings, failures."""
