"""Who makes the rows: this process, or a fleet of others. Both give the same."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ponder.models.folder import cache_folder
from ponder.records import Item, Row, Skipped, Usage
from ponder.shelf.ingest import Ingest

SPOOL = "spool"
"""Folder of what a fleet has made and nobody has stored yet: in a shelf, or in the cache."""


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that are ready to be stored.

    Attributes:
        rows: Each with its item's place among those given.
        whole: Whether they are to be stored in one commit, before the next are asked for: their maker lets go
            of them then.
    """

    rows: tuple[tuple[int, Row | Skipped], ...]
    whole: bool = False


class MakesRows(Protocol):
    """Reasons about items and embeds them."""

    @property
    def usage(self) -> Usage:
        """As `Ingest.usage`, for what was given out so far."""
        ...

    def make(self, items: Sequence[Item]) -> Generator[Made]:
        """Every item's row once, in whichever order; a `Skipped` for an item that cannot be used.

        Args:
            items: With an id each of its own.

        Raises:
            PonderError: As for `Ingest.rows`.
        """
        ...


class Spreads(Protocol):
    """Has rows made elsewhere."""

    def __call__(self, ingest: Ingest, place: Path, *, stored: bool = True) -> MakesRows:
        """Who makes the rows that `ingest` would make.

        Args:
            ingest: Models, settings and how items are opened.
            place: A folder for what is finished and not stored yet; made when needed.
            stored: Whether rows are stored as they come, by the one whom `place` belongs to. Otherwise all of
                them are kept there until the last one is made.
        """
        ...


class Here:
    """Rows made in this process, one by one, in the order of the items (`MakesRows`).

    Args:
        ingest: What makes them.
        workers: Threads that open files ahead of the models.
    """

    def __init__(self, ingest: Ingest, workers: int = 1) -> None:
        self._ingest, self._workers = ingest, workers

    @property
    def usage(self) -> Usage:
        """The ingest's."""
        return self._ingest.usage

    def make(self, items: Sequence[Item]) -> Generator[Made]:
        """See `MakesRows.make`."""
        with closing(self._ingest.rows(items, workers=self._workers)) as rows:
            for place, row in enumerate(rows):
                yield Made(((place, row),))


def maker_of(ingest: Ingest, spread: Spreads | None) -> MakesRows:
    """Who makes rows that are stored nowhere.

    Args:
        ingest: Models, settings and how items are opened.
        spread: Has them made elsewhere; what is finished waits in the cache folder. None makes them here.
    """
    return Here(ingest) if spread is None else spread(ingest, cache_folder() / SPOOL, stored=False)


def rows_made(maker: MakesRows, items: Sequence[Item]) -> Generator[tuple[int, Row | Skipped]]:
    """Rows, each with its item's place; a fleet's in another order than the items'.

    Args:
        maker: Who makes them.
        items: With an id each of its own.
    """
    for made in maker.make(items):
        yield from made.rows
