"""What a run of tasks will cost, before it is run."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.mmeb.running import DEPTH, TaskRun
from ponder.evaluate.scaling.documents import DocumentsPrice, price_documents, some
from ponder.evaluate.scaling.pricing import tokens_per_second
from ponder.media.content import open_query
from ponder.protocols import BlobCache, Models

_RANKED_BYTES = 24
"""Of one ranked name and its score in a file of answers, about."""

_TRIED = 4
"""Candidates, and queries, that are tried: as many as `price_documents` tries, whose work is then there."""

_REASONING_BYTES = 2048
"""Of one reasoning and what a cache keeps beside it, about."""


@dataclass(frozen=True, slots=True)
class TaskPrice:
    """One task.

    Attributes:
        task: Its name.
        queries: Still to be answered, over all budgets.
        candidates: That they are ranked over.
        tokens: Of queries, at most.
        documents: What no cache has of the candidates.
        seconds: In all, at most; None where no judge could be timed.
        bytes: That caches and answers will take, about.
    """

    task: str
    queries: int
    candidates: int
    tokens: int
    documents: DocumentsPrice
    seconds: float | None
    bytes: int

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "task": self.task,
            "queries": self.queries,
            "candidates": self.candidates,
            "documents_to_reason_about": self.documents.reason,
            "documents_to_embed": self.documents.embed,
            "document_tokens": self.documents.tokens,
            "tokens_at_most": self.tokens,
            "minutes_at_most": None if self.seconds is None else round(self.seconds / 60, 1),
            "megabytes": round(self.bytes / 1e6, 1),
        }


def price_task(run: TaskRun, models: Models, cache: BlobCache) -> TaskPrice:
    """Reckon a bound for a task; judge, reasoner and embedder work a little to be timed.

    Args:
        run: The task.
        models: Whose probe it is.
        cache: As for `price_documents`: give an overlay.
    """
    told = run.asking
    left = run.left(models)
    tokens = sum(budget * count for budget, count in left.items())
    documents = DocumentsPrice()
    if any(left.values()):
        documents = price_documents(
            run.dataset, [run.settings.reasoning], run.settings, models, cache, limits=told.limits
        )
    rate = _tokens_per_second(run, models, cache) if tokens else None
    asked = sum(left.values())
    return TaskPrice(
        run.name,
        asked,
        len(told.items),
        tokens,
        documents,
        None if tokens and not rate else documents.seconds + (tokens / rate if rate else 0.0),
        stored_bytes(asked, len(told.items), documents.reason, documents.embed, models.embedder.dim),
    )


def _tokens_per_second(run: TaskRun, models: Models, cache: BlobCache) -> float | None:
    """How fast a few of the task's own queries are judged over a few of its candidates.

    Infinite where the judges spend nothing on such queries. Where these candidates cannot be opened, made-up
    texts are read instead; None where that tells nothing.
    """
    told, settings = run.asking, run.settings
    first = told.questions[0]
    ids = [item.id for item in some(told.items, _TRIED)] if first.pool is None else first.pool
    items = [item for item in told.items if item.id in ids[:_TRIED]]
    spent, seconds = 0, 0.0
    try:
        search = settings.cascade.on(build_corpus(items, models, cache, settings, limits=told.limits))
        for number, question in enumerate(told.questions[: 1 + _TRIED]):
            began = time.perf_counter()
            found = search(question.asked, budget=max(settings.budgets), k=len(items), gates=False)
            if number:  # the first loads models
                seconds += time.perf_counter() - began
                spent += found.usage.spent
    except (InputInvalid, InputNotFound):
        with suppress(InputInvalid, InputNotFound):
            return tokens_per_second(open_query(first.asked, told.limits), settings, models)
        return None
    return spent / seconds if spent and seconds > 0 else math.inf


def stored_bytes(queries: int, candidates: int, reason: int, embed: int, dim: int) -> int:
    """Bytes that answers and caches will take, about.

    Args:
        queries: To be answered, over all budgets.
        candidates: That they are ranked over.
        reason: Reasonings to be kept.
        embed: Candidates whose vectors will be kept; each is taken to have one.
        dim: Of a vector.
    """
    answers = queries * min(candidates, DEPTH) * _RANKED_BYTES
    return answers + reason * _REASONING_BYTES + embed * dim * 4
