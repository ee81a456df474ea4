"""Whose shards a folder holds: many jobs may share one place, and none touches what is another's."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from pathlib import Path

from ponder.errors import BackendFailed
from ponder.records import Item
from ponder.shelf.manifest import write_whole
from ponder.spread.planning import told_of

_OWNER = "owner"


def name_of(items: Sequence[Item]) -> str:
    """A hash over items in their order: 16 hex digits.

    Example:
        >>> name_of([Item("a", "text", text="kite")]) == name_of([Item("a", "text", text="whale")])
        False
    """
    hashed = hashlib.blake2b(digest_size=8)
    for item in items:
        hashed.update(json.dumps(told_of(item)).encode())
    return hashed.hexdigest()


def owner_of(place: Path) -> str:
    """A name for whoever has the folder `place`, the same from run to run: 16 hex digits.

    Of the path and of a file that is made at `place`: machines may have shelves of their own at one path, and
    a copy of a shelf lies at another.

    Raises:
        BackendFailed: The file cannot be written.
    """
    path = place / _OWNER
    try:
        try:
            told = path.read_text("utf-8")
        except FileNotFoundError:
            told = uuid.uuid4().hex
            place.mkdir(parents=True, exist_ok=True)
            write_whole(path, told)
        return hashlib.blake2b(f"{told} {place.resolve()}".encode(), digest_size=8).hexdigest()
    except OSError as error:
        raise BackendFailed(
            f"finished shards cannot be kept: {error.strerror}", str(path), "check the disk"
        ) from error
