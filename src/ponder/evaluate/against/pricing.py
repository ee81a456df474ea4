"""What embedding costs: a sample of queries and items goes through the models once more, unremembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.against.counting import counted
from ponder.evaluate.beir import JudgedQuery
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Content, Item
from ponder.shelf.ingest import Document, MediaOpener

T = TypeVar("T")

SAMPLE = 24
"""Queries and items that are priced: enough for a mean within a tenth, a quarter of a minute on `lite`."""


@dataclass(frozen=True, slots=True)
class Price:
    """Means over a sample.

    Attributes:
        macs: Multiply-adds; None where no torch module ran.
        seconds: Wall time, the models loaded.
    """

    macs: float | None
    seconds: float


class WordsOnly:
    """A cache that knows nothing but what was read in pictures, so that all else is made anew.

    OCR takes a hundred times as long as a look and is the same for all models that are compared.

    Args:
        cache: Where the words are.
        prefix: What their keys begin with.
    """

    def __init__(self, cache: BlobCache, prefix: str) -> None:
        self._cache, self._prefix = cache, prefix

    def get(self, key: str) -> bytes | None:
        """Only words."""
        return self._cache.get(key) if key.startswith(self._prefix) else None

    def put(self, key: str, value: bytes) -> None:
        """Only words."""
        if key.startswith(self._prefix):
            self._cache.put(key, value)


def price_queries(models: Models, queries: Sequence[JudgedQuery], sample: int = SAMPLE) -> Price:
    """What embedding a plain query costs."""
    contents = [open_query(each.query, Limits()) for each in _spread(queries, sample)]
    return _price(contents, lambda content: models.embedder.embed_queries([content], [None]))


def price_items(
    models: Models, items: Sequence[Item], *, text_layer: bool = True, sample: int = SAMPLE
) -> Price:
    """What reasoning about an item and embedding it costs, once it is opened.

    Args:
        models: Made anew, with a cache that does not know the items (`WordsOnly`).
        items: Of which a sample is taken, evenly over their order.
        text_layer: Whether PDFs' text layers may be read.
        sample: How many.
    """
    opener = MediaOpener(Limits(), text_layer=text_layer)
    contents: list[Content] = []
    for item in _spread(items, sample):
        try:
            contents.append(Document(item, opener).content)
        except (InputInvalid, InputNotFound):
            continue  # told where the corpus is built

    def make(content: Content) -> None:
        found = models.reasoner.reason([content], role="document", tokens=models.reason_tokens)
        models.embedder.embed_documents([content], found)

    return _price(contents, make)


def _price(contents: Sequence[Content], work: Callable[[Content], object]) -> Price:
    if not contents:
        return Price(None, 0.0)
    # The first loads weights; it counts as work, not as time.
    macs: list[int] = []
    seconds: list[float] = []
    for content in contents:
        began = time.perf_counter()
        with counted() as found:
            work(content)
        seconds.append(time.perf_counter() - began)
        macs.append(found.total)
    return Price(fmean(macs) if any(macs) else None, fmean(seconds[1:] or seconds))


def _spread(things: Sequence[T], count: int) -> list[T]:
    """`count` of the things, evenly over their order."""
    if len(things) <= count:
        return list(things)
    return [things[i * len(things) // count] for i in range(count)]
