"""Two runs query by query: ``ponder compare``."""
