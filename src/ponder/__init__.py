"""ponder: multimodal search that gets better by spending tokens of reasoning."""
