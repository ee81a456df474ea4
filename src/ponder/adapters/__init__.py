"""ponder inside other frameworks: LangChain, LlamaIndex, Haystack, MCP clients, and CrossEncoders' ``rank``.

Each module imports its framework, which is an extra (``pip install "ponder[langchain]"``); this package
imports none.
"""
