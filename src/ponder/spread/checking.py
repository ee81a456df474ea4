"""Whether a worker's rows are what was asked for: its word alone is not taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, InputNotFound
from ponder.records import Item, Row
from ponder.shelf.ingest import Opener
from ponder.spread.spool import Refused, Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NORM = 1e-3
"""By how much the length of a unit vector may be off; half precision is off by less."""


def check(result: Result, items: Sequence[Item], dim: int, opener: Opener) -> None:
    """Refuse a shard that has other items, vectors that are none, or rows of another content.

    The content is told by its digest, which is reckoned here from the file's bytes. So a row that belongs to
    another item, or to what its file held earlier, is found out; a reasoning that is merely bad is not.

    Args:
        result: What came back.
        items: What was asked for.
        dim: Length of the vectors.
        opener: Whose digests count.

    Raises:
        Refused: Says what is wrong.
    """
    wanted = {item.id for item in items}
    given = [*result.rows, *result.skipped]
    if len(given) != len(wanted) or set(given) != wanted:
        raise Refused(f"{len(given)} rows for {len(wanted)} items, or of other items")
    for item in items:
        row = result.rows.get(item.id)
        if row is not None:
            _check_row(row, item, dim, opener)


def _check_row(row: Row, item: Item, dim: int, opener: Opener) -> None:
    labels, vectors = row.embedded.labels, row.embedded.vectors
    if not labels or vectors.shape != (len(labels), dim):
        raise Refused(f"vectors of shape {vectors.shape} for {len(labels)} parts of {dim} (item {item.id})")
    if not _unit(vectors):
        raise Refused(f"vectors that are not of length 1 (item {item.id})")
    try:
        digest = opener.digest(item)
    except (InputInvalid, InputNotFound, OSError):
        # Gone since it was read: the next run removes it.
        return
    if row.digest != digest:
        raise Refused(f"a row of another content (item {item.id})")


def _unit(vectors: NDArray[np.float32]) -> bool:
    import numpy as np

    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    # Not a number compares as false.
    return bool((np.abs(lengths - 1) < _NORM).all())
