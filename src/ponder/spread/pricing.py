"""What indexing will take, before it is begun: a few items of each kind are tried."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ponder.index.cache import Overlay
from ponder.protocols import Models
from ponder.records import Item, Skipped
from ponder.shelf.ingest import Ingest, Opener
from ponder.spread.planning import MOST, bits_for

_TRIED = 4
"""Items of each kind: of `lite`'s kinds they take some seconds together."""


@dataclass(frozen=True, slots=True)
class KindPrice:
    """Items of one kind.

    Attributes:
        items: How many there are.
        tried: How many were really reasoned about and embedded.
        seconds: That one takes, without the weights' loading; None where none could be used.
        tokens: That are read and written for one.
        bytes: That one takes in the index: vectors as float32 and the reasoning.
    """

    items: int
    tried: int
    seconds: float | None
    tokens: float
    bytes: float


@dataclass(frozen=True, slots=True)
class IndexingPrice:
    """All there is to do, at most: what caches hold already takes no time.

    Attributes:
        kinds: By kind.
        shards: Of the plan on a fleet.
        workers: That work side by side.
        megabytes: Of memory that one worker takes: what this process took with the models in it.
    """

    kinds: dict[str, KindPrice]
    shards: int
    workers: int
    megabytes: float

    @property
    def items(self) -> int:
        """To be reasoned about and embedded."""
        return sum(each.items for each in self.kinds.values())

    @property
    def tokens(self) -> int:
        """To be read and written."""
        return round(sum(each.items * each.tokens for each in self.kinds.values()))

    @property
    def worker_hours(self) -> float:
        """Of all workers."""
        return sum(each.items * (each.seconds or 0.0) for each in self.kinds.values()) / 3600

    @property
    def hours(self) -> float:
        """Until it is done."""
        return self.worker_hours / max(1, self.workers)

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "items": self.items,
            "by_kind": {
                name: {
                    "items": each.items,
                    "tried": each.tried,
                    "seconds_each": None if each.seconds is None else round(each.seconds, 4),
                    "tokens_each": round(each.tokens, 1),
                    "bytes_each": round(each.bytes),
                }
                for name, each in self.kinds.items()
            },
            "shards": self.shards,
            "workers": self.workers,
            "megabytes_a_worker": round(self.megabytes),
            "index_megabytes": round(sum(each.items * each.bytes for each in self.kinds.values()) / 1e6, 1),
            "tokens": self.tokens,
            "worker_hours": round(self.worker_hours, 4),
            "hours": round(self.hours, 4),
        }


def price_indexing(
    items: Sequence[Item], models: Models, opener: Opener, reason_tokens: int | None, workers: int
) -> IndexingPrice:
    """Try a few items of each kind, and reckon; nothing is kept.

    Args:
        items: To be indexed.
        models: What reasons and embeds.
        opener: How items are opened.
        reason_tokens: Longest reasoning about a document; None takes the models'.
        workers: That will work side by side.
    """
    kinds: dict[str, KindPrice] = {}
    counts = Counter(item.kind for item in items)
    for kind, count in sorted(counts.items()):
        step = max(1, count // _TRIED)
        some = [item for item in items if item.kind == kind][::step][:_TRIED]
        kinds[kind] = _price(some, count, models, opener, reason_tokens)
    shards = 2 ** bits_for(len(items), MOST) if items else 0
    return IndexingPrice(kinds, min(shards, len(items)), workers, _megabytes())


def _price(
    some: Sequence[Item], count: int, models: Models, opener: Opener, reason_tokens: int | None
) -> KindPrice:
    seconds: list[float] = []
    tokens: list[int] = []
    sizes: list[int] = []
    for item in some:
        ingest = Ingest(models, Overlay(None), reason_tokens=reason_tokens, opener=opener)
        began = time.perf_counter()
        [row] = ingest.rows([item])
        if isinstance(row, Skipped):
            continue
        seconds.append(time.perf_counter() - began)
        tokens.append(ingest.usage.spent)
        sizes.append(row.embedded.vectors.nbytes + len(row.reasoning.text.encode()))
    if not seconds:
        return KindPrice(count, 0, None, 0.0, 0.0)
    # The first one loaded the weights, where there is another.
    return KindPrice(count, len(seconds), fmean(seconds[1:] or seconds), fmean(tokens), fmean(sizes))


def _megabytes() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes, but bytes on macOS.
    return most / (2**20 if sys.platform == "darwin" else 2**10)
