"""Filters for stores that do not speak Lance's SQL: evaluated by Lance over a copy of the items' columns."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ponder.index.filters import ItemFilter


def item_key(name: str) -> uuid.UUID:
    """The key of an item in a store that wants short ones: 128 bits of its id's hash.

    Example:
        >>> item_key("/pictures/kite.jpg")
        UUID('62ccff64-5f2e-6491-5226-11989850453d')
    """
    return uuid.UUID(bytes=hashlib.blake2b(name.encode(), digest_size=16).digest())


class FilterMirror:
    """Which items a filter keeps, exactly as `LanceIndex` would have it.

    The columns that a filter may name are copied into memory at the first filtered search, and again
    whenever the store has changed since; what a filter costs after that is Lance's scan of the copy. An
    instance may be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._empty: ItemFilter | None = None
        self._copy: tuple[str, ItemFilter] | None = None

    def check(self, where: str) -> None:
        """Refuse what is no filter, without looking at any item.

        Raises:
            InputInvalid: It is no condition over `filters.FILTER_COLUMNS`.
        """
        with self._lock:
            if self._empty is None:
                self._empty = ItemFilter()
            self._empty.check(where)

    def ids(self, where: str, stamp: str, load: Callable[[], Mapping[str, list[Any]]]) -> set[str]:
        """Ids of the items that a filter keeps.

        Args:
            where: The filter.
            stamp: What the store's state is called: the copy of another is of no use.
            load: Gives the columns of `filters.FILTER_COLUMNS` of all items, metadata as JSON text.

        Raises:
            InputInvalid: It is no condition over `filters.FILTER_COLUMNS`.
        """
        with self._lock:
            if self._copy is None or self._copy[0] != stamp:
                self._copy = (stamp, ItemFilter.over(load()))
            return self._copy[1].ids(where)
