"""A shelf as frameworks hold it: by its path or itself, opened at first use, one search at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ponder.errors import MissingDependency

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.cascade.cascade import OnFault
    from ponder.records import Query, Ranking, Row
    from ponder.shelf.shelf import Shelf

BUDGET = 256
"""Tokens a query unless told: what ``ponder search`` spends."""


def not_installed(package: str, extra: str) -> MissingDependency:
    """The error of an adapter whose framework is not there.

    Example:
        >>> print(not_installed("langchain-core", "langchain"))
        langchain-core is not installed: pip install "ponder[langchain]"
    """
    return MissingDependency(f"{package} is not installed", "", f'pip install "ponder[{extra}]"')


class Searching:
    """Searches a shelf for a framework, which may ask from many threads.

    Models are not made to work in several threads at once, and take all cores as it is: searches wait for
    each other.

    Args:
        shelf: A shelf, or the folder of one; that is opened when it is first needed, and never made.

    Example:
        >>> Searching("shelf").path
        'shelf'
    """

    def __init__(self, shelf: str | os.PathLike[str] | Shelf) -> None:
        self._given = shelf
        self._lock = threading.RLock()
        self._opened: Shelf | None = None

    @property
    def path(self) -> str:
        """The shelf's folder."""
        if isinstance(self._given, str | os.PathLike):
            return os.fspath(self._given)
        return str(self._given.path)

    @property
    def shelf(self) -> Shelf:
        """The shelf.

        Raises:
            InputNotFound: There is none in the folder.
            InputInvalid: It cannot be opened.
        """
        with self._lock:
            if self._opened is None:
                from ponder.shelf.opening import open_shelf

                if isinstance(self._given, str | os.PathLike):
                    self._opened = open_shelf(self._given, create=False)
                else:
                    self._opened = self._given
            return self._opened

    def search(
        self,
        query: str | Query,
        k: int = 10,
        budget: int = BUDGET,
        stages: str | Cascade | None = None,
        where: str | None = None,
        on_fault: OnFault = "raise",
    ) -> Ranking:
        """Search, as `Shelf.search` does.

        Args:
            query: Text, or a `Query` with media.
            k: Hits, at most.
            budget: The most tokens to read and write for this query.
            stages: The cascade.
            where: A filter.
            on_fault: What a failing model does.

        Raises:
            PonderError: As for `Shelf.search`.
        """
        with self._lock:
            return self.shelf.search(query, k=k, budget=budget, stages=stages, where=where, on_fault=on_fault)

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        with self._lock:
            return self.shelf.get(ids)
