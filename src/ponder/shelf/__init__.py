"""The shelf: a folder that holds an index of files, kept in step with them, and searched."""

from ponder.shelf.ingest import Document, Ingest, MediaOpener
from ponder.shelf.joining import merge_shelves
from ponder.shelf.opening import open_shelf
from ponder.shelf.report import AddReport, MergeReport, Progress, ShelfInfo
from ponder.shelf.shard import Shard
from ponder.shelf.shelf import Shelf

__all__ = [
    "AddReport",
    "Document",
    "Ingest",
    "MediaOpener",
    "MergeReport",
    "Progress",
    "Shard",
    "Shelf",
    "ShelfInfo",
    "merge_shelves",
    "open_shelf",
]
