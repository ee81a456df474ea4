"""A data set's documents, reasoned about, embedded and indexed in memory; what was done once is cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.evaluate.remembered import RememberingModels, remembering
from ponder.evaluate.settings import Settings
from ponder.evaluate.shuffle import shuffled
from ponder.index.exact import ExactIndex
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Item, Reasoning, Row, Skipped
from ponder.shelf.ingest import Ingest, MediaOpener
from ponder.shelf.ingest import skipped as left_out
from ponder.shelf.making import Spreads, maker_of, rows_made

Advance = Callable[[int, int], None]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class DocumentTokens:
    """Means over the documents of what their reasoning cost when it was made."""

    read: float
    written: float


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Documents to search: what a cascade runs on (`protocols.Searchable`).

    Attributes:
        index: All vectors.
        models: What filled the index, with plain query embeddings remembered in the cache.
        original: The same models as the registry gave them.
        tokens_per_document: What a document's reasoning costs.
        reason_tokens: Limit of a document's reasoning.
        contents_sha256: Over the ids and contents of the documents: equal for equal corpora.
        skipped: Documents that cannot be opened.
    """

    index: ExactIndex
    models: RememberingModels
    original: Models
    tokens_per_document: DocumentTokens
    reason_tokens: int
    contents_sha256: str
    skipped: tuple[Skipped, ...] = ()

    def part(self, ids: Sequence[str]) -> Corpus:
        """A corpus of these documents alone."""
        return _corpus(self.index.get(ids), self.original, self.models, self.reason_tokens, ())


def build_corpus(
    items: Sequence[Item],
    models: Models,
    cache: BlobCache,
    settings: Settings,
    advance: Advance | None = None,
    limits: Limits | None = None,
    spread: Spreads | None = None,
) -> Corpus:
    """Index the documents of a data set.

    Args:
        items: The documents.
        models: What reasons and embeds.
        cache: Where reasonings and vectors are kept by content.
        settings: Whether there is reasoning, of what length, and whose.
        advance: Called with (documents done, documents).
        limits: Bounds on what is opened; the media room's own unless told.
        spread: Has the rows made elsewhere (`ponder.spread`); None makes them here.

    Raises:
        InputInvalid: No document can be opened, or there are too few to shuffle.
        BadArguments: Shuffled reasoning is to be made elsewhere.
    """
    ingest = Ingest(
        models,
        cache,
        reason_tokens=0 if settings.reasoning == "off" else settings.reason_tokens,
        opener=MediaOpener(limits or Limits(), text_layer=settings.text_layer),
    )
    shuffle = settings.reasoning == "shuffled"
    if shuffle and spread is not None:
        raise BadArguments(
            "shuffled reasoning is made in one process", "--on", "leave --on out, or --reasoning shuffled"
        )
    made: Iterator[tuple[int, Row | Skipped | Reasoning]] = (
        enumerate(_shuffled_rows(ingest, items, settings.seed))
        if shuffle
        else rows_made(maker_of(ingest, spread), items)
    )
    rows: list[tuple[int, Row]] = []
    skipped: list[tuple[int, Skipped]] = []
    for done, (place, row) in enumerate(made, 1):
        if isinstance(row, Skipped):
            skipped.append((place, row))
        elif isinstance(row, Row):
            rows.append((place, row))
        if advance:
            advance(done, len(items) * (1 + shuffle))
    if not rows:
        raise InputInvalid("no document can be opened", "", skipped[0][1].error if skipped else "")
    # Whoever made them, the order is that of the items.
    inner, lost = _ordered(rows), _ordered(skipped)
    return _corpus(inner, models, remembering(models, cache), ingest.reason_tokens, tuple(lost))


def _ordered(placed: list[tuple[int, _T]]) -> list[_T]:
    return [each for _, each in sorted(placed, key=lambda pair: pair[0])]


def contents_sha256(documents: Iterable[tuple[str, str]]) -> str:
    """A hash over documents, each its id and its content's digest, in whichever order.

    Example:
        >>> contents_sha256([("a", "1"), ("b", "2")]) == contents_sha256([("b", "2"), ("a", "1")])
        True
    """
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(documents))
    return hashlib.sha256(lines.encode()).hexdigest()


def _shuffled_rows(ingest: Ingest, items: Sequence[Item], seed: int) -> Iterator[Row | Skipped | Reasoning]:
    """First each document's reasoning, then each document's row with another's.

    Every reasoning has to be there before the first can be given away; contents are opened again
    rather than kept, since all of them at once would fill the memory.
    """
    own: list[tuple[Item, Reasoning]] = []
    for item in items:
        try:
            own.append((item, ingest.reason(ingest.document(item))))
        except (InputInvalid, InputNotFound) as error:
            yield left_out(item, error)
        else:
            yield own[-1][1]
    others = shuffled([reasoning for _, reasoning in own], seed)
    for (item, _), other in zip(own, others, strict=True):
        document = ingest.document(item)
        yield Row(item, other, ingest.embed(document, other), document.digest)


def _corpus(
    rows: Sequence[Row],
    original: Models,
    models: RememberingModels,
    reason_tokens: int,
    skipped: tuple[Skipped, ...],
) -> Corpus:
    index = ExactIndex()
    index.add(rows)
    cost = DocumentTokens(
        read=fmean(row.reasoning.usage.read for row in rows),
        written=fmean(row.reasoning.usage.written for row in rows),
    )
    digest = contents_sha256((row.item.id, row.digest) for row in rows)
    return Corpus(index, models, original, cost, reason_tokens, digest, skipped)
