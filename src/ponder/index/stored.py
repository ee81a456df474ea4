"""What a shelf asks of the index that it keeps, over what every `Index` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ponder.index.rows import Source
from ponder.protocols import Index
from ponder.records import Match

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT = 0
"""As an effort: compare the query with everything."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """How an index is built, and what has piled up in it.

    Attributes:
        method: "exact" while every search is a comparison with everything, else the approximate index's kind.
        knob: What its effort is called there: "nprobes", "ef_search", "hnsw_ef"; "" while it is exact.
        effort: The effort of a search that names none.
        parts: Number of vectors.
        unindexed: How many of them the approximate index does not hold yet.
        pieces: Files, or segments, that the vectors lie in; 0 where the store keeps that to itself.
        old_versions: Earlier states, or dead rows, that take up space.
        untidy: Whether `compact` would help.
    """

    method: str
    knob: str
    effort: int
    parts: int
    unindexed: int = 0
    pieces: int = 0
    old_versions: int = 0
    untidy: bool = False


@runtime_checkable
class StoredIndex(Index, Protocol):
    """An index that outlives the process (`ponder.index.stores.open_store`)."""

    dim: int

    @property
    def parts(self) -> int:
        """Number of vectors."""
        ...

    @property
    def stamp(self) -> str:
        """A text that changes with every change of what is stored."""
        ...

    def search(
        self, vector: NDArray[np.float32], k: int, where: str | None = None, *, effort: int | None = None
    ) -> list[Match]:
        """See `ponder.protocols.Index`.

        Args:
            vector: Array of shape (dim,).
            k: How many.
            where: Only among items that this filter keeps.
            effort: Of the approximate index, in its own measure (`IndexState.knob`): more finds more and
                takes longer; `EXACT` compares with everything; None is the index's own.
        """
        ...

    def remove_where(self, where: str) -> int:
        """Remove the items that a filter keeps; their number."""
        ...

    def counts(self) -> dict[str, int]:
        """Number of items by kind."""
        ...

    def sources(self) -> list[Source]:
        """Id, digest and bookkeeping of every item, without reasoning and vectors."""
        ...

    def unsummed(self, ids: Sequence[str]) -> int:
        """How many of these rows have no checksum: those that a ponder before 0.1.0 wrote."""
        ...

    def state(self) -> IndexState:
        """How it is built and what has piled up."""
        ...

    def compact(self) -> None:
        """Tidy up, and build or extend the approximate index if it is due."""
        ...

    def reindex(self) -> None:
        """Build the approximate index anew, if there is one."""
        ...

    def close(self) -> None:
        """Let go of connections; the index is not used after this."""
        ...
