"""A model behind an OpenAI-compatible endpoint as an agent."""
