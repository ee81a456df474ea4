"""Whether a worker's rows are what was asked for: its word alone is not taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, InputNotFound
from ponder.records import Item, Row
from ponder.shelf.ingest import Document, Opener
from ponder.shelf.vetting import LENGTH_OFF
from ponder.spread.spool import Refused, Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def stamp(item: Item) -> str:
    """Size and time of an item's file, as a scan compares them; "" without a file.

    Example:
        >>> stamp(Item("a", "text", text="a kite"))
        ''
    """
    if item.path is None:
        return ""
    try:
        told = Path(item.path).stat()
    except (OSError, ValueError):
        return ""
    return f"{told.st_size} {told.st_mtime_ns}"


def check(result: Result, items: Sequence[Item], dim: int, opener: Opener, given: Mapping[str, str]) -> None:
    """Refuse a shard that has other items, vectors that are none, or rows or skips of another content.

    The content is told by its digest, which is reckoned here from the file's bytes. So a row that belongs to
    another item, or to what its file held earlier, is found out; a reasoning that is merely bad is not. An
    item that was left out is not believed to be unusable if it was mended since, or if it can be read here
    and only the worker could not.

    A file that has changed since the shard was given out is taken as the worker saw it: it is stored with the
    size and time of the scan, so that the next run finds it changed, as after a run in one process.

    Args:
        result: What came back.
        items: What was asked for.
        dim: Length of the vectors.
        opener: Whose digests count.
        given: Stamps by item id from when the shard was given out; none where an earlier run made it.

    Raises:
        Refused: Says what is wrong.
    """
    wanted = {item.id for item in items}
    found = [*result.rows, *result.skipped]
    if len(found) != len(wanted) or set(found) != wanted:
        raise Refused(f"{len(found)} rows for {len(wanted)} items, or of other items")
    for item in items:
        row = result.rows.get(item.id)
        if row is not None:
            _check_vectors(row, item, dim)
        seen = result.seen.get(item.id, "") if row is None else row.digest
        # What nobody could read is not read here either, and a given text is the one that was asked for.
        unread = row is None and (item.path is None or (seen != "" and seen == stamp(item)))
        if unread or _holds(item, seen, opener) or (item.id in given and given[item.id] != stamp(item)):
            continue
        if row is not None:
            raise Refused(f"a row of another content (item {item.id})")
        skip = result.skipped[item.id]
        why = "for what it holds no more" if seen else "though it can be read here"
        raise Refused(f"{skip.uri} left out {why} ({skip.error})")


def _check_vectors(row: Row, item: Item, dim: int) -> None:
    labels, vectors = row.embedded.labels, row.embedded.vectors
    if not labels or vectors.shape != (len(labels), dim):
        raise Refused(f"vectors of shape {vectors.shape} for {len(labels)} parts of {dim} (item {item.id})")
    if not _unit(vectors):
        raise Refused(f"vectors that are not of length 1 (item {item.id})")


def _holds(item: Item, digest: str, opener: Opener) -> bool:
    try:
        return Document(item, opener).digest == digest
    except (InputInvalid, InputNotFound):
        # Gone since it was read: the next run removes it. Or it cannot be read here either.
        return True


def _unit(vectors: NDArray[np.float32]) -> bool:
    import numpy as np

    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    # Not a number compares as false.
    return bool((np.abs(lengths - 1) <= LENGTH_OFF).all())
