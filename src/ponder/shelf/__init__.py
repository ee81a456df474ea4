"""The shelf: a folder that holds an index of files, kept in step with them, and searched."""

from ponder.shelf.ingest import Document, Ingest, MediaOpener
from ponder.shelf.report import AddReport, Progress, ShelfInfo
from ponder.shelf.shelf import Shelf, open_shelf

__all__ = ["AddReport", "Document", "Ingest", "MediaOpener", "Progress", "Shelf", "ShelfInfo", "open_shelf"]
