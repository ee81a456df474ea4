"""Whom to look at for a query: the retriever's nearest, the labelled documents, and copies of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.cascade.standing import Standing
from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.feedback.looks import Looks
from ponder.feedback.nearest import nearest
from ponder.index.scores import MARGIN, exact_scores
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.records import Content, Match, Skipped, StageScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OPENED = 32
"""Queries whose pictures are in memory at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A query with its documents.

    Attributes:
        query: With its labels.
        content: The query, opened.
        vector: The plain query's, float32 (dim,).
        candidates: The retriever's nearest in the ranks asked for, and the labelled ones wherever they are;
            the best first.
        copies: Unlabelled documents out of these ranks that are copies of a labelled one.
    """

    query: JudgedQuery
    content: Content
    vector: NDArray[np.float32]
    candidates: tuple[Standing, ...]
    copies: tuple[Standing, ...]


class Finder:
    """Finds candidates in a corpus whose vectors are in memory.

    Args:
        corpus: Documents, indexed.
        ids: All of them.
        copy: Closeness from which two documents are the same thing.
    """

    def __init__(self, corpus: Corpus, ids: Sequence[str], copy: float) -> None:
        import numpy as np

        self._corpus, self._copy = corpus, copy
        # In the order of ids, so that ties by place are ties by id, as in a search.
        self._rows = sorted(corpus.index.get(list(dict.fromkeys(ids))), key=lambda row: row.item.id)
        self._place = {row.item.id: place for place, row in enumerate(self._rows)}
        parts = [row.embedded.vectors for row in self._rows]
        self._vectors = np.concatenate(parts)
        self._owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        self._starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        self._looks = Looks.of(self._rows, corpus.original.embedder)

    def find(self, queries: Sequence[JudgedQuery], ranks: tuple[int, int]) -> list[Found | Skipped]:
        """Candidates of some queries, searched together.

        Args:
            queries: With their labels.
            ranks: First and last place of the retriever's ranking to look at, from 1; whoever a query
                excludes has no place.

        Returns:
            One a query, in their order; `Skipped` where the corpus has no positive of it that it does not
            exclude itself, or where it cannot be opened.
        """
        import numpy as np

        asked: dict[int, Content] = {}
        out: dict[int, Found | Skipped] = {}
        for number, each in enumerate(queries):
            told = f"query {each.query.id}"
            if not self.labelled(each):
                out[number] = Skipped(told, "no positive in the corpus that it does not exclude itself")
                continue
            try:
                asked[number] = open_query(each.query, Limits())
            except (InputInvalid, InputNotFound) as error:
                out[number] = Skipped(told, str(error))
        if asked:
            contents = list(asked.values())
            vectors = self._corpus.models.embedder.embed_queries(contents, [None] * len(contents))
            most = ranks[1] + max(len(queries[number].exclude) for number in asked)
            near = nearest(np.asarray(vectors, np.float32), self._vectors, most, owners=self._owners)
            for row, (number, content) in enumerate(asked.items()):
                places = [place for place in near.places[row].tolist() if place >= 0]
                out[number] = self._found(queries[number], content, vectors[row], places, ranks)
        return [out[number] for number in range(len(queries))]

    @property
    def count(self) -> int:
        """Documents; their places are 0 to one less, in the order of their ids."""
        return len(self._rows)

    def name(self, place: int) -> str:
        """The id of the document at a place."""
        return self._rows[place].item.id

    def labelled(self, query: JudgedQuery) -> list[int]:
        """Places of a query's positives that the corpus has."""
        return [
            self._place[name]
            for name, grade in query.grades.items()
            if grade > 0 and name in self._place and name not in query.exclude
        ]

    def asked(self, queries: Sequence[JudgedQuery]) -> tuple[list[int], NDArray[np.float32]]:
        """Which of the queries can be opened, and their plain vectors, float32 (n, dim)."""
        import numpy as np

        rows: list[int] = []
        parts: list[NDArray[np.float32]] = [np.zeros((0, self._vectors.shape[1]), np.float32)]
        for start in range(0, len(queries), _OPENED):
            contents: list[Content] = []
            for number, each in enumerate(queries[start : start + _OPENED], start):
                try:
                    contents.append(open_query(each.query, Limits()))
                except (InputInvalid, InputNotFound):
                    continue  # `find` tells
                rows.append(number)
            if contents:
                embedded = self._corpus.models.embedder.embed_queries(contents, [None] * len(contents))
                parts.append(np.asarray(embedded, np.float32))
        return rows, np.concatenate(parts)

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of all documents, by their best part: float32 (n, documents)."""
        import numpy as np

        found: NDArray[np.float32] = np.maximum.reduceat(vectors @ self._vectors.T, self._starts, axis=1)
        return found

    def close(self, some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
        """Closeness of documents by place: float32 (some, others); see `Looks`."""
        return self._looks.close(some, others)

    def closeness(self, names: Sequence[str]) -> NDArray[np.float32]:
        """How close documents are to each other: float32 (n, n); see `Looks`."""
        import numpy as np

        places = np.array([self._place[name] for name in names], np.int64)
        return self._looks.close(places, places)

    def closest(self, names: Sequence[str], others: Sequence[str]) -> NDArray[np.float32]:
        """How close each document is to whichever of some others is closest: float32 (names,)."""
        import numpy as np

        some, beside = (np.array([self._place[name] for name in each], np.int64) for each in (names, others))
        return self._looks.closest(some, beside)

    def _found(
        self,
        query: JudgedQuery,
        content: Content,
        vector: NDArray[np.float32],
        near: Sequence[int],
        ranks: tuple[int, int],
    ) -> Found:
        import numpy as np

        left_out = {self._place[name] for name in query.exclude if name in self._place}
        ranking = [place for place in near if place not in left_out]
        rank = {place: number for number, place in enumerate(ranking, 1)}
        chosen = ranking[ranks[0] - 1 : ranks[1]]
        labelled = self.labelled(query)
        wanted = dict.fromkeys([*chosen, *labelled])
        closest = self._looks.closest(np.arange(len(self._rows)), np.array(labelled, np.int64))
        copies = [int(place) for place in np.flatnonzero(closest >= self._copy) if place not in wanted]
        far = [place for place in (*wanted, *copies) if place not in rank]
        rank |= self._far(vector, far, left_out)
        standings = {place: self._standing(place, vector, rank[place]) for place in (*wanted, *copies)}
        first = sorted(wanted, key=lambda place: (-standings[place].score, place))
        others = [place for place in copies if place not in left_out]
        return Found(
            query,
            content,
            vector,
            tuple(standings[place] for place in first),
            tuple(standings[place] for place in others),
        )

    def _far(self, vector: NDArray[np.float32], places: list[int], left_out: set[int]) -> dict[int, int]:
        """Ranks behind those that were searched for, to within what float32 leaves open."""
        import numpy as np

        if not places:
            return {}
        scores: NDArray[np.float32] = np.maximum.reduceat(self._vectors @ vector, self._starts)
        scores[list(left_out)] = -np.inf
        falling = np.sort(-scores)
        return {place: int(np.searchsorted(falling, -scores[place] - MARGIN)) + 1 for place in places}

    def _standing(self, place: int, vector: NDArray[np.float32], rank: int) -> Standing:
        row = self._rows[place]
        scores = exact_scores(row.embedded.vectors, vector)
        best = int(scores.argmax())
        score = float(scores[best])
        match = Match(row.item.id, score, row.embedded.labels[best], best)
        return Standing(row, match, rank, score, [StageScore("retrieve", score, rank)])
