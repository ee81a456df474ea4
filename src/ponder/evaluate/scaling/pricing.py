"""What a scaling curve will cost, before it is run."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ponder.evaluate.beir import Dataset
from ponder.evaluate.scaling.ladder import Way
from ponder.evaluate.settings import Settings
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import Models
from ponder.records import Candidate, Content, Embedded, Item, PartReasoning, Reasoning, Row

_PROBE = 200


@dataclass(frozen=True, slots=True)
class Price:
    """A bound on what the queries cost.

    Attributes:
        runs: Ways times budgets.
        queries: In each run.
        tokens: At most: queries times budgets, whatever a stage finds to spend them on.
        tokens_per_second: As a judge read in a probe just now; None where none could be timed.
        documents: That are reasoned about and embedded first, where the cache does not have them.
    """

    runs: int
    queries: int
    tokens: int
    tokens_per_second: float | None
    documents: int

    @property
    def minutes(self) -> float | None:
        """Of judging, at most; documents come on top."""
        return None if not self.tokens_per_second else self.tokens / self.tokens_per_second / 60

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "runs": self.runs,
            "queries": self.queries,
            "documents": self.documents,
            "tokens_at_most": self.tokens,
            "tokens_per_second": None if self.tokens_per_second is None else round(self.tokens_per_second),
            "minutes_at_most": None if self.minutes is None else round(self.minutes, 1),
        }

    def line(self) -> str:
        """The same for people."""
        time_ = "unknown time" if self.minutes is None else f"{self.minutes:.0f} minutes"
        return (
            f"{self.runs} runs of {self.queries} queries over {self.documents} documents: at most "
            f"{self.tokens:,} tokens, {time_} at the speed of a probe; what caches hold costs no time, and "
            "documents that they do not hold are reasoned about first"
        )


def price_of(dataset: Dataset, ways: Sequence[Way], settings: Settings, models: Models) -> Price:
    """Reckon a bound; a judge reads a little to be timed, nothing is written."""
    tokens = len(ways) * len(dataset.queries) * sum(settings.budgets)
    query = open_query(dataset.queries[0].query, Limits())
    return Price(
        runs=len(ways) * len(settings.budgets),
        queries=len(dataset.queries),
        tokens=tokens,
        tokens_per_second=_speed(query, settings, models),
        documents=len(dataset.items),
    )


def sample(dataset: Dataset, limit: int | None, seed: int) -> Dataset:
    """At most `limit` of the queries, the same for the same seed, in their order."""
    if limit is None or limit >= len(dataset.queries):
        return dataset
    chosen = sorted(random.Random(seed).sample(range(len(dataset.queries)), limit))
    return replace(dataset, queries=type(dataset.queries)(dataset.queries[number] for number in chosen))


def _speed(query: Content, settings: Settings, models: Models) -> float | None:
    """Tokens a second of the first judge, over texts that no cache has seen."""
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
