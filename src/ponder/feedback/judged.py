"""One query's documents, found and judged: what decisions are made on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.cascade.signals import signals
from ponder.cascade.stages import Rerank
from ponder.cascade.standing import Standing
from ponder.feedback.deciding import Scored
from ponder.feedback.finding import Finder, Found
from ponder.feedback.judging import Judged, judge_all
from ponder.protocols import HasBlocks, Models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a query.

    Attributes:
        id: Of the corpus.
        grade: As labelled; 0 too where it is not.
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
        tokens: Read and written.
        finder: That found them.
    """

    documents: tuple[Document, ...]
    tokens: int
    finder: Finder

    def closeness(self, places: Sequence[int]) -> NDArray[np.float32]:
        """How close some of the documents are to each other: float32 (n, n)."""
        return self.finder.closeness([self.documents[place].id for place in places])


def bench(found: Found, finder: Finder, models: Models, stages: Sequence[Rerank], budget: int) -> Bench:
    """Have a query's candidates and its labelled documents judged.

    Copies out of the ranks asked for are not: they are false negatives whatever a judge says.

    Args:
        found: The query's documents.
        finder: That found them.
        models: Whose judges.
        stages: The judges.
        budget: Tokens for this query, never exceeded; 0 asks nobody.
    """
    grades = found.query.grades
    labelled = {each.id for each in found.candidates if grades.get(each.id, 0) > 0}
    embedder = models.embedder
    blocks = embedder.blocks if isinstance(embedder, HasBlocks) else {}
    best = [each.candidate(rank) for rank, each in enumerate(found.candidates, 1)]
    seen = signals(found.content, best, found.vector, blocks)
    asked = judge_all(
        stages if budget else (), models, found.content, found.candidates, labelled, budget, seen
    )
    every = (*found.candidates, *found.copies)
    closest = finder.closest([each.id for each in every], sorted(labelled))
    documents = [
        _document(each, asked.judged.get(each.id), grades.get(each.id), float(near))
        for each, near in zip(every, closest, strict=True)
    ]
    documents.sort(key=lambda each: -each.scored.score)
    return Bench(tuple(documents), asked.tokens, finder)


def _document(standing: Standing, judged: Judged | None, grade: int | None, closest: float) -> Document:
    """A document stands by its retrieval where no judge is to be asked, for want of a budget or of trust."""
    told = judged or Judged(standing.score, asked=True)
    counts = told.verdict is not None or not told.asked
    irrelevant = grade is not None and grade <= 0
    scored = Scored(told.score, counts, told.chance, closest, standing.found, irrelevant)
    return Document(standing.id, grade or 0, scored, standing.score, told.verdict)
