"""An embedder that is being trained, measured by ponder's own evaluation: plain retrieval on dev splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.embed.sentence import SentenceEmbedder
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Advance, build_corpus
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.protocols import BlobCache, Embedder, Models, Reasoner, Reranker
from ponder.records import Content, Embedded, Reasoning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Overlay:
    """A cache over another: what is put stays in memory, so that vectors of one step are not kept for ever.

    Args:
        under: Where reasonings are found.

    Example:
        >>> over = Overlay(Overlay(None))
        >>> over.put("k", b"v")
        >>> over.get("k"), over.get("x")
        (b'v', None)
    """

    def __init__(self, under: BlobCache | None) -> None:
        self._under = under
        self._own: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """From memory, or else from below."""
        found = self._own.get(key)
        return self._under.get(key) if found is None and self._under is not None else found

    def put(self, key: str, value: bytes) -> None:
        """Into memory."""
        self._own[key] = value


@dataclass(frozen=True, slots=True)
class _Moment:
    """An embedder as it is at a step."""

    embedder: SentenceEmbedder
    step: int

    @property
    def fingerprint(self) -> str:
        return f"{self.embedder.fingerprint}/in-training-{self.step}"

    @property
    def dim(self) -> int:
        return self.embedder.dim

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        return self.embedder.embed_documents(contents, reasonings)

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        return self.embedder.embed_queries(contents, reasonings)


@dataclass(frozen=True, slots=True)
class _Set:
    """A set of models with another embedder and no judges."""

    name: str
    reasoner: Reasoner
    embedder: Embedder
    rerankers: Mapping[str, Reranker]
    reason_tokens: int
    reason_batch: int


def measure(
    datasets: Sequence[Dataset],
    models: Models,
    embedder: SentenceEmbedder,
    cache: BlobCache,
    *,
    step: int,
    reason_tokens: int | None = None,
) -> dict[str, dict[str, float]]:
    """Metrics of plain retrieval (budget 0) by data set.

    Args:
        datasets: What to search and ask.
        models: Their reasoner writes the documents' ECRs, where the cache has none.
        embedder: As it is now.
        cache: Has reasonings; nothing is put there.
        step: Tells this moment's vectors from another's.
        reason_tokens: Longest reasoning about a document; None takes the models' own.

    Raises:
        InputInvalid: No document or no query can be opened.
    """
    now = _Set(
        models.name,
        models.reasoner,
        _Moment(embedder, step),
        {},
        models.reason_tokens,
        int(getattr(models, "reason_batch", 1)),
    )
    return {
        dataset.name: retrieved(dataset, now, Overlay(cache), reason_tokens=reason_tokens)
        for dataset in datasets
    }


def retrieved(
    dataset: Dataset,
    models: Models,
    cache: BlobCache,
    *,
    reason_tokens: int | None = None,
    advance: Advance | None = None,
) -> dict[str, float]:
    """Metrics of plain retrieval (budget 0) on a data set.

    Args:
        dataset: What to search and ask.
        models: What reasons and embeds.
        cache: Of reasonings and vectors.
        reason_tokens: Longest reasoning about a document; None takes the models' own.
        advance: Called with (documents done, documents).

    Raises:
        InputInvalid: No document or no query can be opened.
    """
    from ponder.cascade import parse_stages

    settings = Settings(budgets=(0,), cascade=parse_stages("retrieve:100"), reason_tokens=reason_tokens)
    corpus = build_corpus(dataset.items, models, cache, settings, advance)
    [run] = run_budgets(dataset, corpus, settings)
    return dict(run.report.metrics)


def mean_of(scores: Mapping[str, Mapping[str, float]], metric: str) -> float:
    """A metric's mean over the data sets.

    Example:
        >>> mean_of({"a": {"hit@1": 0.2}, "b": {"hit@1": 0.4}}, "hit@1")
        0.30000000000000004
    """
    return sum(each[metric] for each in scores.values()) / len(scores)
