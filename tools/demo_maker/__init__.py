"""Makers of the bundled collection; run them with ``python tools/make_collection.py``."""
