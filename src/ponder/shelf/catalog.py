"""What a shelf holds of each file, so that an unchanged file is known without opening anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Self

from ponder.index.rows import Source as Stored
from ponder.media.scan import Source
from ponder.shelf.manifest import write_whole
from ponder.shelf.refused import Refusal, decoders

NAME = "catalog.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one stored item's file.

    Attributes:
        id: The item's id.
        digest: Digest of its content.
        path: Its file.
        size: Of the file when it was stored, in bytes.
        mtime_ns: The file's time of change then.
        of: How many items the file held.
    """

    id: str
    digest: str
    path: str
    size: int
    mtime_ns: int
    of: int

    @classmethod
    def stored(cls, stored: Stored) -> Self | None:
        """The entry of a stored item; None for an item that was not indexed from a file."""
        try:
            source = stored.source
            return cls(
                stored.id, stored.digest, source["path"], source["size"], source["mtime_ns"], source["of"]
            )
        except KeyError:
            return None

    def is_of(self, file: Source) -> bool:
        """Whether the file is as it was when the item was stored, by size and time."""
        return (self.size, self.mtime_ns) == (file.size, file.mtime_ns)


def within(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies under it, by their names."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def bookkeeping(file: Source, of: int) -> dict[str, Any]:
    """What a row of one of the `of` items of `file` carries as its source."""
    return {"path": file.path, "size": file.size, "mtime_ns": file.mtime_ns, "of": of}


class Catalog:
    """The entries of a shelf, by path and id.

    Args:
        entries: In any order.
        refusals: Items that could not be used, in any order.
        stamp: Of the index when it was asked, or of an earlier state of it: a later one would pass for
            what is written here.

    Attributes:
        refused: The refusals, by item id.
    """

    def __init__(self, entries: Iterable[Entry], refusals: Iterable[Refusal] = (), stamp: str = "") -> None:
        self.stamp = stamp
        self.refused = {refusal.id: refusal for refusal in refusals}
        self.by_path: dict[str, dict[str, Entry]] = {}
        for entry in entries:
            self.by_path.setdefault(entry.path, {})[entry.id] = entry

    def of(self, file: Source) -> Mapping[str, Entry]:
        """The entries of a file, by item id."""
        return self.by_path.get(file.path, {})

    def under(self, root: str) -> Iterator[str]:
        """The paths that are `root` or lie under it."""
        return (path for path in self.by_path if within(path, root))

    @classmethod
    def read(cls, path: Path, stamp: str) -> Self | None:
        """The catalog that was written for the index as it is now, by its `stamp`; None when there is none.

        The index itself is the truth. The file is a copy of what it says about sources, good for one
        version of it, so that indexing again with nothing changed need not import lancedb (a second).
        What it says about refused items is lost with it: they are tried once more.
        """
        with suppress(OSError, ValueError, TypeError, KeyError):
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stamp and stored["stamp"] == stamp:
                return cls((Entry(*each) for each in stored["entries"]), _refusals(stored), stamp)
        return None

    @staticmethod
    def read_entries(path: Path) -> list[Entry]:
        """The entries of a catalog, of whichever version of the index; none if it is damaged."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            return [Entry(*each) for each in json.loads(path.read_text(encoding="utf-8"))["entries"]]
        return []

    @staticmethod
    def read_refused(path: Path) -> list[Refusal]:
        """The refusals of a catalog, of whichever version of the index; none if other decoders refused.

        A refusal holds for a file as it was, whatever has been stored since.
        """
        with suppress(OSError, ValueError, TypeError, KeyError):
            return _refusals(json.loads(path.read_text(encoding="utf-8")))
        return []

    def write(self, path: Path) -> None:
        """Write the catalog of the index as it was at `stamp`; a disk that is full leaves the old one."""
        entries = [astuple(entry) for held in self.by_path.values() for entry in held.values()]
        refused = [astuple(refusal) for refusal in self.refused.values()]
        text = json.dumps(
            {
                "stamp": self.stamp,
                "entries": entries,
                "decoders": decoders(),
                "refused": refused,
            }
        )
        with suppress(OSError):
            write_whole(path, text)


def _refusals(stored: Any) -> list[Refusal]:
    same = stored["decoders"] == decoders()
    return [Refusal(*each) for each in stored["refused"]] if same else []
