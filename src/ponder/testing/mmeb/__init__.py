"""A tiny MMEB-V2 on disk: every family of its tasks, a few queries each, texts and pictures of our own."""

from ponder.testing.mmeb.layout import make_layout

__all__ = ["make_layout"]
