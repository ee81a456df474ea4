"""What documents will cost before queries can run: those whose reasoning or vectors no cache has."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TypeVar

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset
from ponder.evaluate.settings import ReasoningMode, Settings
from ponder.evaluate.shuffle import shuffled
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Reasoning
from ponder.shelf.ingest import Document, Ingest, MediaOpener

T = TypeVar("T")

_TRIED = 4
"""Documents that are really reasoned about and embedded, to learn what one costs."""


@dataclass(frozen=True, slots=True)
class DocumentsPrice:
    """What is missing and what it costs, reckoned from a few documents that were tried.

    Attributes:
        reason: Reasonings that have to be written.
        embed: Vectors that have to be made.
        tokens: To be read and written for the reasonings, about.
        seconds: For both, about.
    """

    reason: int = 0
    embed: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """One document, as a mode needs it.

    Attributes:
        ingest: What would make it.
        document: The document.
        reasoned: Whether its reasoning is there, and only vectors are not.
    """

    ingest: Ingest
    document: Document
    reasoned: bool


def price_documents(
    dataset: Dataset,
    modes: Iterable[ReasoningMode],
    settings: Settings,
    models: Models,
    cache: BlobCache,
    *,
    limits: Limits | None = None,
) -> DocumentsPrice:
    """Price what is missing for these modes.

    Args:
        dataset: The documents.
        modes: How documents are reasoned about; reasonings that modes share are counted once.
        settings: Length of reasonings, seed, text layer.
        models: What reasons and embeds.
        cache: Looked into, and written to by the documents that are tried: give an
            `ponder.index.cache.Overlay`.
        limits: Bounds on what is opened; the media room's own unless told.
    """
    reason, embed = missing_documents(dataset, modes, settings, models, cache, limits=limits)
    tokens, reasoning = _tried_reasoning(reason)
    return DocumentsPrice(
        len(reason),
        len(embed),
        round(len(reason) * tokens),
        len(reason) * reasoning + len(embed) * _tried_embedding(embed),
    )


def missing_documents(
    dataset: Dataset,
    modes: Iterable[ReasoningMode],
    settings: Settings,
    models: Models,
    cache: BlobCache,
    *,
    limits: Limits | None = None,
) -> tuple[list[Missing], list[Missing]]:
    """What no cache has: documents to reason about, each once, and those to embed, for each mode.

    No model runs.

    Args:
        dataset: As for `price_documents`.
        modes: As there.
        settings: As there.
        models: As there.
        cache: Looked into only.
        limits: As there.
    """
    opener = MediaOpener(limits or Limits(), text_layer=settings.text_layer)
    reason: dict[tuple[int, str], Missing] = {}
    embed: list[Missing] = []
    for mode in dict.fromkeys(modes):
        for missing in _missing(dataset, replace(settings, reasoning=mode), models, cache, opener):
            embed.append(missing)
            if not missing.reasoned:
                reason.setdefault((missing.ingest.reason_tokens, missing.document.digest), missing)
    return list(reason.values()), embed


def _missing(
    dataset: Dataset, settings: Settings, models: Models, cache: BlobCache, opener: MediaOpener
) -> list[Missing]:
    ingest = Ingest(
        models,
        cache,
        reason_tokens=0 if settings.reasoning == "off" else settings.reason_tokens,
        opener=opener,
    )
    documents = []
    for item in dataset.items:
        try:
            documents.append(ingest.document(item))
        except (InputInvalid, InputNotFound):
            continue  # the run lists it
    known = [ingest.kept(document) for document in documents]
    given = known
    if settings.reasoning == "shuffled" and len(documents) > 1:
        # Whose reasoning a document gets is known once all have one.
        whole = [each for each in known if each is not None]
        given = [*shuffled(whole, settings.seed)] if len(whole) == len(known) else [None] * len(known)
    return [
        Missing(ingest, document, own is not None)
        for document, own, used in zip(documents, known, given, strict=True)
        if used is None or not ingest.embedded(document, used)
    ]


def _tried_reasoning(missing: Sequence[Missing]) -> tuple[float, float]:
    """Tokens and seconds of one reasoning."""
    tokens: list[int] = []
    seconds: list[float] = []
    for each in some(missing, _TRIED):
        began = time.perf_counter()
        found = _reasoned(each)
        if found is not None:
            tokens.append(found.usage.read + found.usage.written)
            seconds.append(time.perf_counter() - began)
    return (fmean(tokens), _steady(seconds)) if tokens else (0.0, 0.0)


def _tried_embedding(missing: Sequence[Missing]) -> float:
    """Seconds of one embedding."""
    seconds: list[float] = []
    for each in some(missing, _TRIED):
        reasoning = _reasoned(each)
        if reasoning is None:
            continue
        began = time.perf_counter()
        [_] = each.ingest.models.embedder.embed_documents([each.document.content], [reasoning])
        seconds.append(time.perf_counter() - began)
    return _steady(seconds) if seconds else 0.0


def _reasoned(missing: Missing) -> Reasoning | None:
    try:
        return missing.ingest.reason(missing.document)
    except (InputInvalid, InputNotFound):
        return None


def _steady(seconds: Sequence[float]) -> float:
    """The mean without the first, which loads weights, where there is another."""
    return fmean(seconds[1:] or seconds)


def some(things: Sequence[T], count: int) -> Sequence[T]:
    """At most `count` of them, evenly spread.

    Example:
        >>> some("abcdefg", 3)
        'ace'
    """
    return things[:: max(1, len(things) // count)][:count]
