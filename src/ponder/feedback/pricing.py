"""What a mining will cost, before it is run: what is left of it, and a few of its queries tried."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.scaling.documents import DocumentsPrice, price_documents
from ponder.evaluate.settings import Settings
from ponder.feedback.finding import Finder, Found
from ponder.feedback.judged import bench
from ponder.feedback.mined import Mined
from ponder.feedback.mining import BLOCK, MiningSettings
from ponder.protocols import BlobCache, Models

_TRIED = 16
"""Queries that are really judged: more would take longer than `lite` takes for a small split."""


@dataclass(frozen=True, slots=True)
class MiningPrice:
    """What is still to do.

    Attributes:
        queries: Of the split.
        left: Of these, those that no finished part holds.
        documents: Of the corpus.
        candidates: Documents in the ranks asked for, of the queries that are left; labelled ones and copies
            come on top.
        tokens_at_most: The budget, of every query that is left.
        missing: What no cache holds of documents.
        tried: Queries that were judged to learn what one costs; 0 where documents are missing, since nothing
            can be retrieved before they are there.
        tokens: To be read and written for judging, about; None without `tried`.
        seconds: For judging, about; what caches hold of judgements costs tokens and next to no time.
    """

    queries: int
    left: int
    documents: int
    candidates: int
    tokens_at_most: int
    missing: DocumentsPrice = DocumentsPrice()  # noqa: RUF009 - frozen
    tried: int = 0
    tokens: int | None = None
    seconds: float | None = None

    @property
    def minutes(self) -> float | None:
        """Of documents and judging, about; None where judging could not be tried."""
        return None if self.seconds is None else (self.missing.seconds + self.seconds) / 60

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "queries": self.queries,
            "left": self.left,
            "documents": self.documents,
            "candidates": self.candidates,
            "most_tokens": self.tokens_at_most,
            "queries_tried": self.tried,
            "tokens": self.tokens,
            "minutes": None if self.minutes is None else round(self.minutes, 1),
            "documents_to_reason_about": self.missing.reason,
            "documents_to_embed": self.missing.embed,
            "document_tokens": self.missing.tokens,
            "document_minutes": round(self.missing.seconds / 60, 1),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        first = (
            f"{self.left} of {self.queries} queries left, {self.candidates:,} candidates among "
            f"{self.documents:,} documents"
        )
        most = f"at most {self.tokens_at_most:,} tokens of judging"
        if self.seconds is not None:
            told = f"by {self.tried} queries that were tried" if self.tried else "nothing is left to judge"
            return [first, f"{most}; about {self.tokens:,} in {self.seconds / 60:.1f} min, {told}"]
        documents = self.missing
        return [
            first,
            f"{documents.reason} documents to reason about with about {documents.tokens:,} tokens, "
            f"{documents.embed} to embed, in about {documents.seconds / 60:.1f} min",
            f"{most}; how many really can be told once documents are there",
        ]


def price_mining(
    dataset: Dataset, settings: MiningSettings, out: Path, models: Models, cache: BlobCache
) -> MiningPrice:
    """Reckon what is left to do; a few queries are judged for it, and nothing is written.

    Args:
        dataset: The split.
        settings: How it would be mined.
        out: Where to; finished parts there cost nothing.
        models: Whose documents and judges; they should write to `cache` too.
        cache: Looked into, and written to by what is tried: give an `ponder.index.cache.Overlay`.

    Raises:
        BadArguments: The stages do not fit the models.
    """
    settings.cascade().check(models)
    waiting = _waiting(dataset.queries, out)
    first, last = settings.ranks
    ranks = max(0, min(last, len(dataset.items)) - first + 1)
    numbers = len(dataset.queries), len(waiting), len(dataset.items), len(waiting) * ranks
    most = len(waiting) * settings.budget
    if not waiting:
        return MiningPrice(*numbers, most, tokens=0, seconds=0.0)
    missing = price_documents(dataset, ["on"], Settings(), models, cache)
    if missing.reason or missing.embed:
        return MiningPrice(*numbers, most, missing)
    corpus = build_corpus(dataset.items, models, cache, Settings())
    finder = Finder(corpus, [item.id for item in dataset.items], settings.lines.copy)
    tokens: list[int] = []
    seconds: list[float] = []
    for query in _some(waiting):
        began = time.perf_counter()
        [found] = finder.find([query], settings.ranks)
        if isinstance(found, Found):
            tokens.append(bench(found, finder, corpus.models, settings.judges(), settings.budget).tokens)
            seconds.append(time.perf_counter() - began)
    # The first loads the weights.
    each = fmean(seconds[1:] or seconds) if seconds else 0.0
    total = round(fmean(tokens) * len(waiting)) if tokens else 0
    return MiningPrice(*numbers, most, missing, len(tokens), total, each * len(waiting))


def _waiting(queries: Sequence[JudgedQuery], out: Path) -> list[JudgedQuery]:
    """Queries that no finished part holds."""
    place = Mined(out)
    # Parts beside a finished file are of one that was begun anew.
    if out.is_file() and not place.parts.is_dir():
        return []
    starts = range(0, len(queries), BLOCK)
    return [
        query
        for number, at in enumerate(starts)
        if not place.part(number).is_file()
        for query in queries[at : at + BLOCK]
    ]


def _some(waiting: Sequence[JudgedQuery]) -> list[JudgedQuery]:
    """A few at random, the same each time: queries of a kind often stand together, or in turns."""
    return random.Random(0).sample(waiting, min(_TRIED, len(waiting)))
