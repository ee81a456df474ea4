"""What a scaling curve will cost, before it is run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ponder.evaluate.beir import Dataset
from ponder.evaluate.sampling import drawn
from ponder.evaluate.scaling.documents import DocumentsPrice, price_documents
from ponder.evaluate.scaling.kept import Runs, Way
from ponder.evaluate.settings import Settings
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Candidate, Content, Embedded, Item, PartReasoning, Reasoning, Row

_PROBE = 200


@dataclass(frozen=True, slots=True)
class Price:
    """What is still to do, and a bound on what it costs.

    Attributes:
        runs: Ways times budgets, without those that are kept.
        kept: Runs that have ended before and cost nothing.
        queries: In each run.
        tokens: Of queries, at most: queries times budgets, whatever a stage finds to spend them on.
        tokens_per_second: As a judge read in a probe just now; None where none could be timed.
        documents: What the cache does not have of documents.
    """

    runs: int
    kept: int
    queries: int
    tokens: int
    tokens_per_second: float | None
    documents: DocumentsPrice = DocumentsPrice()  # noqa: RUF009 - frozen

    @property
    def minutes(self) -> float | None:
        """Of documents, about, and of judging, at most."""
        if not self.tokens:
            return self.documents.seconds / 60
        if not self.tokens_per_second:
            return None
        return (self.documents.seconds + self.tokens / self.tokens_per_second) / 60

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "runs": self.runs,
            "kept": self.kept,
            "queries": self.queries,
            "documents_to_reason_about": self.documents.reason,
            "documents_to_embed": self.documents.embed,
            "document_tokens": self.documents.tokens,
            "document_minutes": round(self.documents.seconds / 60, 1),
            "tokens_at_most": self.tokens,
            "tokens_per_second": None if self.tokens_per_second is None else round(self.tokens_per_second),
            "minutes_at_most": None if self.minutes is None else round(self.minutes, 1),
        }

    def line(self) -> str:
        """The same for people."""
        time_ = "unknown time" if self.minutes is None else f"{self.minutes:.0f} minutes"
        documents = self.documents
        return (
            f"{self.runs} runs of {self.queries} queries ({self.kept} more are kept): at most "
            f"{self.tokens:,} tokens; {documents.reason} documents to reason about with about "
            f"{documents.tokens:,} tokens, {documents.embed} to embed; {time_} in all, at the speed of a "
            "probe. What caches hold of judging costs no time"
        )


def price_of(
    dataset: Dataset, ways: Sequence[Way], settings: Settings, models: Models, runs: Runs, cache: BlobCache
) -> Price:
    """Reckon a bound; judge and reasoner work a little to be timed.

    Args:
        dataset: What would be run.
        ways: As for `Ladder.climb`.
        settings: Budgets and stages.
        models: Whose probe it is; they should write to `cache` too.
        runs: Where runs are kept.
        cache: As for `price_documents`.
    """
    steps = [(way, budget) for way in ways for budget in settings.budgets]
    waiting = [(way, budget) for way, budget in steps if runs.find(way, budget) is None]
    tokens = len(dataset.queries) * sum(budget for _, budget in waiting)
    modes = [way.reasoning for way, _ in waiting]
    query = open_query(dataset.queries[0].query, Limits())
    return Price(
        runs=len(waiting),
        kept=len(steps) - len(waiting),
        queries=len(dataset.queries),
        tokens=tokens,
        tokens_per_second=tokens_per_second(query, settings, models) if tokens else None,
        documents=price_documents(dataset, modes, settings, models, cache),
    )


def sample(dataset: Dataset, limit: int | None, seed: int) -> Dataset:
    """At most `limit` of the queries, the same for the same seed, in their order."""
    if limit is None or limit >= len(dataset.queries):
        return dataset
    chosen = drawn(len(dataset.queries), limit, seed)
    return replace(dataset, queries=type(dataset.queries)(dataset.queries[number] for number in chosen))


def tokens_per_second(query: Content, settings: Settings, models: Models) -> float | None:
    """How fast the first judge reads texts that no cache has seen; None where there is none to time."""
    from ponder.cascade import Rerank

    judges = [stage.judge(models) for stage in settings.cascade.stages if isinstance(stage, Rerank)]
    if not judges:
        return None
    import numpy as np

    now = time.time_ns()
    candidates = [
        Candidate(
            Row(
                Item(f"probe-{number}", "text"),
                Reasoning(
                    text=(words := f"{now} {number} is what is read to learn how fast reading is. " * 3),
                    parts=(PartReasoning("", words),),
                ),
                Embedded(("",), np.zeros((1, models.embedder.dim), np.float32)),
            ),
            "",
            0.0,
            number + 1,
        )
        for number in range(8)
    ]
    # The first call loads the model.
    judges[0].rerank(query, candidates[:1], limit=_PROBE)
    began = time.perf_counter()
    judged = judges[0].rerank(query, candidates[1:], limit=_PROBE * 8)
    seconds = time.perf_counter() - began
    return judged.usage.spent / seconds if judged.usage.spent and seconds > 0 else None
