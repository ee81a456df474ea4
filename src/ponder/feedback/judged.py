"""One query's documents, retrieved and judged within a budget: what decisions are made on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ponder.cascade.cascade import Cascade
from ponder.cascade.stages import Retrieve
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.retrieval import without
from ponder.feedback.deciding import Scored
from ponder.protocols import HasBlocks
from ponder.records import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a query.

    Attributes:
        id: Of the corpus.
        grade: As labelled; 0 for nothing.
        scored: How it stands.
        retrieval: The retriever's score.
        judge: What the last judge that was asked said; None for nothing.
    """

    id: str
    grade: int
    scored: Scored
    retrieval: float
    judge: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """A query's labelled documents and its candidates.

    Attributes:
        documents: By the cascade's score, the best first.
        close: float32 (n, n), how close they are to each other.
        tokens: Read and written.
    """

    documents: tuple[Document, ...]
    close: NDArray[np.float32]
    tokens: int


class Likeness:
    """How close a corpus' documents are: cosines of looks, where the embedder has them apart, or of vectors.

    Documents of equal content are at 1. Rows without looks (a text's) are at 0 to all others.

    Args:
        dataset: Whose documents.
        corpus: Has their rows.
    """

    def __init__(self, dataset: Dataset, corpus: Corpus) -> None:
        import numpy as np

        embedder = corpus.original.embedder
        blocks = embedder.blocks if isinstance(embedder, HasBlocks) else {}
        begin, end = blocks.get("looks", (0, embedder.dim))
        rows = corpus.index.get([item.id for item in dataset.items])
        vectors = np.stack([row.embedded.vectors[0, begin:end] for row in rows])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._unit = np.asarray(vectors / np.where(norms > 0, norms, 1.0), np.float32)
        self._ids = [row.item.id for row in rows]
        self._place = {name: place for place, name in enumerate(self._ids)}
        self._digests = np.array([row.digest for row in rows])

    def between(self, these: Sequence[str], those: Sequence[str] | None = None) -> NDArray[np.float32]:
        """float32 (these, those); all documents for None."""
        import numpy as np

        one = [self._place[name] for name in these]
        other = list(range(len(self._ids))) if those is None else [self._place[name] for name in those]
        close = np.asarray(self._unit[one] @ self._unit[other].T, np.float32)
        close[self._digests[one][:, None] == self._digests[other][None, :]] = 1.0
        return close

    def copies(self, of: Sequence[str], least: float) -> list[str]:
        """Documents at least so close to one of these, these left out."""
        import numpy as np

        near = np.flatnonzero((self.between(of) >= least).any(axis=0))
        return [name for name in (self._ids[place] for place in near) if name not in set(of)]


def bench(
    query: JudgedQuery,
    corpus: Corpus,
    likeness: Likeness,
    cascade: Cascade,
    ranks: tuple[int, int],
    budget: int,
    copy: float,
) -> Bench | None:
    """Retrieve a query's candidates, and have them and its labelled documents judged.

    Args:
        query: With its labels.
        corpus: Where they are.
        likeness: Of its documents.
        cascade: Its stages judge.
        ranks: First and last place of the retriever's ranking to look at, from 1.
        budget: Tokens for this query, never exceeded.
        copy: Documents at least this close to a labelled one are looked at wherever the retriever has them.

    Returns:
        None where the corpus has no labelled document of the query.

    Raises:
        InputInvalid, InputNotFound: The query cannot be opened.
    """
    relevant = [name for name, grade in query.grades.items() if grade > 0]
    labelled = corpus.index.get(relevant)
    # Of a labelled document that lies far down the place is told too.
    whole = Cascade((Retrieve(len(corpus.index)),))
    if not labelled:
        return None
    everything = len(corpus.index)
    plain = whole.on(corpus)(query.query, budget=0, k=everything, where=without(query.exclude))
    place = {hit.item.id: hit.rank for hit in plain}
    near = {hit.item.id: hit.score for hit in plain}
    first, last = ranks
    chosen = [hit.item.id for hit in plain.hits[first - 1 : last]]
    known = [row.item.id for row in labelled if row.item.id in place]
    if not known:
        return None
    copies = [name for name in likeness.copies(known, copy) if name in place]
    wanted = dict.fromkeys([*chosen, *known, *copies])
    part = corpus.part(list(wanted))
    ranking = cascade.on(part)(query.query, budget=budget, k=len(wanted))
    documents = tuple(
        Document(
            hit.item.id,
            query.grades.get(hit.item.id, 0),
            _scored(hit, place[hit.item.id], budget),
            near[hit.item.id],
            _verdict(hit),
        )
        for hit in ranking
    )
    names = [each.id for each in documents]
    return Bench(documents, likeness.between(names, names), ranking.usage.spent)


def with_closest(bench: Bench, place: int) -> Scored:
    """How a candidate stands, its closeness to the labelled ones included."""
    labelled = [n for n, each in enumerate(bench.documents) if each.grade > 0]
    nearest = max(float(bench.close[place, n]) for n in labelled)
    return replace(bench.documents[place].scored, closest=nearest)


def _scored(hit: Hit, rank: int, budget: int) -> Scored:
    chances = [each.chance for each in hit.stages if each.chance is not None]
    judged = not budget or _verdict(hit) is not None
    return Scored(hit.score, judged, chances[-1] if chances else None, 0.0, rank)


def _verdict(hit: Hit) -> float | None:
    said = [each.score for each in hit.stages[1:] if each.score is not None]
    return said[-1] if said else None
