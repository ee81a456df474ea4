"""Which items go together: shards that depend on nothing but the items themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.errors import BadArguments
from ponder.index.cache import cache_key
from ponder.records import Item

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 256
"""Items of a shard, about. A shard is what a dead worker loses, and what is stored in one commit: of 10 ms
an item, 3 s of work."""

_PIECES = 64
"""Shards that there are at least, as far as there are items: fewer leave workers idle at the end."""

_BITS = 48
"""Of an item's hash that are kept."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Items that one worker does in one go.

    Attributes:
        number: Among the plan's shards, from 0, in the order in which they are stored.
        key: A hash over the items and over the job: equal keys, equal rows.
        places: Where its items stand among those given.
        items: The items, by id.
    """

    number: int
    key: str
    places: tuple[int, ...]
    items: tuple[Item, ...]


def bits_for(count: int, most: int = MOST) -> int:
    """How many bits of an item's hash name its shard, for so many items.

    Example:
        >>> bits_for(1_000_000), bits_for(1000), bits_for(1)
        (12, 6, 0)
    """
    wanted = max(count / most, min(_PIECES, count / 8))
    return max(0, round(wanted) - 1).bit_length()


class ShardPlan:
    """Items by the first bits of their ids' hashes.

    So an item's shard depends on no other item: it is the same in whichever order the items come, and when
    those of other shards have been stored and come no more. What is kept here are 12 bytes an item; a shard's
    items are taken from `items` when they are asked for.

    Args:
        items: What there is to do, with ids of their own.
        job: What decides the rows apart from the items.
        bits: As of `bits_for`: when a job goes on, those that it was begun with.

    Raises:
        BadArguments: Two items have the same id.

    Example:
        >>> plan = ShardPlan([Item("a", "text", text="kite"), Item("b", "text", text="whale")], "job", 1)
        >>> sorted(item.id for number in range(len(plan)) for item in plan.shard(number).items)
        ['a', 'b']
    """

    def __init__(self, items: Sequence[Item], job: str, bits: int) -> None:
        import numpy as np

        self._items, self._job = items, job
        hashes = np.fromiter((_hash(item.id) for item in items), np.uint64, len(items))
        self._order: NDArray[np.uint32] = np.argsort(hashes, kind="stable").astype(np.uint32)
        ordered = hashes[self._order]
        # Equal hashes are equal ids, but for one in 10^14 pairs.
        if len(items) > 1 and bool((ordered[1:] == ordered[:-1]).any()):
            raise BadArguments("two items have the same id", "items", "give each an id of its own")
        buckets = ordered >> np.uint64(_BITS - bits)
        begins = np.flatnonzero(np.diff(buckets)) + 1
        self._edges: NDArray[np.int64] = np.concatenate([[0], begins, [len(items)]]).astype(np.int64)

    def __len__(self) -> int:
        """Number of shards; none is empty."""
        return len(self._edges) - 1 if len(self._items) else 0

    def shard(self, number: int) -> Shard:
        """The shard of this number."""
        places = self._order[self._edges[number] : self._edges[number + 1]].tolist()
        places.sort(key=lambda place: self._items[place].id)
        items = tuple(self._items[place] for place in places)
        return Shard(number, _key(items, self._job), tuple(places), items)


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=_BITS // 8).digest())


def _key(items: Sequence[Item], job: str) -> str:
    return cache_key(what="shard", job=job, items=[told_of(each) for each in items])[:32]


def told_of(item: Item) -> list[Any]:
    """What of an item decides its row, as JSON values."""
    # Paths, not what the files hold: that would be read here for all of them. Before a shard's rows are
    # stored their digests are compared with the files'.
    told = [item.id, item.kind, item.path, item.page, item.span, item.text]
    return [*told, item.instruction] if item.instruction else told
