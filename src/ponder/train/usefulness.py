"""Whether an ECR helps: how it moves a document towards its queries and away from others.

With s(q, d | e) the likeness of query and document as a search scores it (the best dot product of the
document's parts, embedded with the ECR e), and s(q, d) that without added knowledge:

    lift(q, d, e)    = s(q, d | e) - s(q, d)
    up(d, e)         = mean of lift over the queries that d is a positive of
    down(d, e)       = mean of lift over the queries that d is a hard negative of
    usefulness(d, e) = up(d, e) - down(d, e)

where a mean over nothing counts 0. The margin of a query q between its positive p and a hard negative n grows
by lift(q, p, e_p) - lift(q, n, e_n) when both get their ECRs: usefulness is what each ECR alone adds to the
margins that its document has a part in. An ECR that draws every query alike, by being long or vague, lifts
its document for the wrong ones as well and gains nothing. What is neither a positive nor a hard negative of
any query cannot be measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Query, Reasoning, Skipped
from ponder.shelf.ingest import Document, Ingest
from ponder.train.pairs import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ponder.records import Embedded


@dataclass(frozen=True, slots=True)
class Measured:
    """What an ECR does to its document's likenesses.

    Attributes:
        up: Mean lift over the queries that the document answers; None without such.
        down: Mean lift over those that it is a hard negative of; None without such.

    Example:
        >>> Measured(0.25, 0.125).value, Measured(None, 0.125).value, Measured().value
        (0.125, -0.125, None)
    """

    up: float | None = None
    down: float | None = None

    @property
    def value(self) -> float | None:
        """Usefulness; None where nothing could be measured."""
        if self.up is None and self.down is None:
            return None
        return (self.up or 0.0) - (self.down or 0.0)


class Usefulness:
    """Measures ECRs about the documents of one data set.

    Args:
        dataset: Labels and queries.
        pairs: Mined; hard negatives, and positives that a miner confirmed. Suspect positives do not count.
        models: Their embedder measures.
        cache: Has vectors, and gets those that are missing.

    Attributes:
        skipped: Queries that could not be opened; they are measured by the others.
    """

    def __init__(self, dataset: Dataset, pairs: Iterable[Pair], models: Models, cache: BlobCache) -> None:
        self._models = models
        self._bare = Ingest(models, cache, reason_tokens=0)
        self._queries = {each.query.id: each.query for each in dataset.queries}
        wanted = {
            (name, judged.query.id)
            for judged in dataset.queries
            for name, grade in judged.grades.items()
            if grade > 0
        }
        unwanted: set[tuple[str, str]] = set()
        for pair in pairs:
            place = (pair.document_id, pair.query_id)
            if pair.decision == "positive":
                wanted.add(place)
            elif pair.decision == "suspect-positive":
                wanted.discard(place)
            elif pair.decision == "hard-negative":
                unwanted.add(place)
        self._wanted, self._unwanted = _by_document(wanted), _by_document(unwanted - wanted)
        self._vectors: dict[str, NDArray[np.float32] | None] = {}
        self.skipped: list[Skipped] = []

    def measurable(self, name: str) -> bool:
        """Whether any query says something about a document."""
        return any(
            query in self._queries for query in (*self._wanted.get(name, ()), *self._unwanted.get(name, ()))
        )

    def of(self, document: Document, reasoning: Reasoning) -> Measured:
        """What a reasoning does for its document.

        Raises:
            InputNotFound, InputInvalid: The document cannot be opened or embedded.
            BackendFailed: The embedder or the cache failed.
        """
        name = document.item.id
        wanted, unwanted = (
            [vector for query in some.get(name, ()) if (vector := self._vector(query)) is not None]
            for some in (self._wanted, self._unwanted)
        )
        if not wanted and not unwanted:
            return Measured()
        without = self._bare.embed(document, self._bare.reason(document))
        with_it = self._bare.embed(document, reasoning)
        return Measured(*(_mean_lift(queries, with_it, without) for queries in (wanted, unwanted)))

    def _vector(self, name: str) -> NDArray[np.float32] | None:
        if name not in self._vectors:
            query = self._queries.get(name)
            self._vectors[name] = None if query is None else self._embedded(query)
        return self._vectors[name]

    def _embedded(self, query: Query) -> NDArray[np.float32] | None:
        try:
            content = open_query(query, Limits())
        except (InputInvalid, InputNotFound) as error:
            self.skipped.append(Skipped(f"query {query.id}", str(error)))
            return None
        vector: NDArray[np.float32] = self._models.embedder.embed_queries([content], [None])[0]
        return vector


def _by_document(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for document, query in sorted(places):
        found.setdefault(document, []).append(query)
    return found


def _mean_lift(queries: Sequence[NDArray[np.float32]], with_it: Embedded, without: Embedded) -> float | None:
    if not queries:
        return None
    lifts = [
        float((with_it.vectors @ query).max()) - float((without.vectors @ query).max()) for query in queries
    ]
    return sum(lifts) / len(lifts)
