"""Chat models behind HTTP: any server that speaks OpenAI's language."""
