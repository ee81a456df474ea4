"""Hard negatives over embeddings alone: exact, any media, in memory that does not grow with the corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.errors import BadArguments, InputInvalid
from ponder.feedback.nearest import ROWS, Advance, exact_pairs, nearest
from ponder.feedback.rules import Rules

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

QUERIES = 8192
"""Queries of a block: the corpus is read once a block; what could be nearest to them holds some 130 MB."""

JUDGED = 4096
"""Pairs handed to a judge at a time."""

Judge = Callable[["NDArray[np.int64]", "NDArray[np.int64]"], "ArrayLike"]
"""From the places of n queries and n documents to n scores, higher is better; NaN where it says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Positives and negatives of a block of queries, as columns: by query, positives first, the best first.

    Attributes:
        query: int64 (n,), places.
        document: int64 (n,), places.
        grade: int32 (n,), 1 for labelled.
        rank: int32 (n,), in the retriever's ranking, from 1; 0 for a positive deeper than was searched.
        retrieval: float64 (n,).
        judge: float64 (n,), NaN without a judge or where it said nothing.
        positive_retrieval, positive_judge: float64 (n,), of the query's best positive.
        threshold: float64 (n,), what a negative's score had to stay below; inf where nothing said so.
    """

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    grade: NDArray[np.int32]
    rank: NDArray[np.int32]
    retrieval: NDArray[np.float64]
    judge: NDArray[np.float64]
    positive_retrieval: NDArray[np.float64]
    positive_judge: NDArray[np.float64]
    threshold: NDArray[np.float64]


def candidates(
    queries: NDArray[Any],
    corpus: NDArray[Any],
    positives: Sequence[Sequence[int]],
    rules: Rules,
    *,
    judge: Judge | None = None,
    batch: int = QUERIES,
    block: int = ROWS,
    advance: Advance | None = None,
) -> Iterator[Found]:
    """Mine block by block of queries; what is found does not depend on the blocks.

    A query without a positive, or whose positives the judge says nothing of, gets no negatives.

    Args:
        queries: (q, dim), float32 or float16, rows of unit norm.
        corpus: (n, dim), the same; of a memory map one block of rows is in memory at a time.
        positives: Places in the corpus of each query's relevant documents; duplicates count once.
        rules: Which documents are negatives.
        judge: Scores positives and candidates in place of the retriever, `JUDGED` pairs at a time.
        batch: Queries at a time.
        block: Documents at a time.
        advance: Called with (steps done, steps).

    Raises:
        BadArguments: `batch` or `block` is below 1.
        InputInvalid: Shapes do not fit, values are not finite, a positive is not in the corpus, or a judge
            gives another number of scores than it was asked for.

    Example:
        >>> import numpy as np
        >>> corpus = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)
        >>> found = next(candidates(corpus[:1], corpus, [[0]], Rules(relative=0.3)))
        >>> found.document.tolist(), found.grade.tolist(), found.rank.tolist()
        ([0, 2, 3], [1, 0, 0], [1, 3, 4])
    """
    import numpy as np

    if batch < 1 or block < 1:
        raise BadArguments(f"{batch}, {block}", "batch, block", "at least 1")
    if len(positives) != len(queries):
        raise InputInvalid(f"positives of {len(positives)} queries", "positives", f"there are {len(queries)}")
    known = [np.unique(np.asarray(each, np.int64)) for each in positives]
    if lost := [each for places in known for each in places.tolist() if not 0 <= each < len(corpus)]:
        raise InputInvalid(f"no document {lost[0]}", "positives", f"the corpus has {len(corpus)}")
    search = _Search(corpus, rules, judge, block)
    starts = range(0, len(queries), batch)
    for number, start in enumerate(starts):
        part = slice(start, start + batch)
        told = None if advance is None else _of_all(advance, number, len(starts))
        yield search.found(np.asarray(queries[part], np.float32), known[part], start, told)


def _of_all(advance: Advance, number: int, count: int) -> Advance:
    return lambda done, all_of: advance(number * all_of + done, count * all_of)


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Unlabelled documents within the rules' ranks, by query and rank; and the ranks of the labelled ones."""

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    rank: NDArray[np.int32]
    retrieval: NDArray[np.float64]
    own_rank: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What is the same for all queries."""

    corpus: NDArray[Any]
    rules: Rules
    judge: Judge | None
    block: int

    def found(
        self,
        asked: NDArray[np.float32],
        positives: Sequence[NDArray[np.int64]],
        start: int,
        advance: Advance | None,
    ) -> Found:
        """Of some queries, the first of them in place `start`."""
        import numpy as np

        counts = [len(each) for each in positives]
        owner = np.repeat(np.arange(len(asked)), counts)
        answer = np.concatenate([np.zeros(0, np.int64), *positives])
        pool = self._pool(asked, owner, answer, advance)
        own = _scored(asked, owner, answer, self.corpus)
        own_judged = _judged(self.judge, owner + start, answer)
        judged = _judged(self.judge, pool.query + start, pool.document)
        by, own_by = (pool.retrieval, own) if self.judge is None else (judged, own_judged)
        lowest = _each(np.fmin, owner, own_by, len(asked))
        fits = np.flatnonzero(self.rules.allow(by, lowest[pool.query]))
        taken = fits[np.lexsort((pool.rank[fits], -by[fits], pool.query[fits]))]
        query = pool.query[taken]
        taken = taken[np.arange(len(taken)) - np.searchsorted(query, query) < self.rules.negatives]
        whose = np.concatenate([owner, pool.query[taken]])
        grade = np.repeat(np.array([1, 0], np.int32), [len(owner), len(taken)])
        columns: tuple[NDArray[Any], ...] = (
            np.concatenate([answer, pool.document[taken]]),
            grade,
            np.concatenate([pool.own_rank, pool.rank[taken]]),
            np.concatenate([own, pool.retrieval[taken]]),
            np.concatenate([own_judged, judged[taken]]),
            _each(np.fmax, owner, own, len(asked))[whose],
            _each(np.fmax, owner, own_judged, len(asked))[whose],
            np.where(grade == 1, np.inf, self.rules.line(lowest)[whose]),
        )
        order = np.lexsort((-np.concatenate([own_by, by[taken]]), -grade, whose))
        return Found(whose[order] + start, *(each[order] for each in columns))

    def _pool(
        self,
        asked: NDArray[np.float32],
        owner: NDArray[np.int64],
        answer: NDArray[np.int64],
        advance: Advance | None,
    ) -> _Pool:
        import numpy as np

        own_rank = np.zeros(len(owner), np.int32)
        if not len(owner):
            none = np.zeros(0, np.int64)
            return _Pool(none, none, own_rank, np.zeros(0), own_rank)
        # What is labelled leaves the ranking: by so much deeper it is searched.
        near = nearest(
            asked,
            self.corpus,
            self.rules.last + int(np.bincount(owner).max()),
            block=self.block,
            advance=advance,
        )
        there = near.places >= 0
        query, rank = np.nonzero(there)
        document = near.places[there]
        keys, own = query * len(self.corpus) + document, owner * len(self.corpus) + answer
        at = np.minimum(np.searchsorted(own, keys), len(own) - 1)
        labelled = own[at] == keys
        # As deep as this query alone would be searched, whatever else is in its block.
        deep = rank[labelled] < self.rules.last + np.bincount(owner)[query[labelled]]
        own_rank[at[labelled]] = np.where(deep, rank[labelled] + 1, 0)
        before = np.concatenate([[0], np.cumsum(~labelled)])
        place = before[1:] - before[np.searchsorted(query, query)]
        # Without a positive there is nothing to compare with, nor to train with.
        asks = np.bincount(owner, minlength=len(asked))[query] > 0
        stays = ~labelled & asks & (place >= self.rules.first) & (place <= self.rules.last)
        ranks = (rank[stays] + 1).astype(np.int32)
        return _Pool(query[stays], document[stays], ranks, near.scores[there][stays], own_rank)


def _scored(
    asked: NDArray[np.float32], owner: NDArray[np.int64], answer: NDArray[np.int64], corpus: NDArray[Any]
) -> NDArray[np.float64]:
    """Exact scores of pairs, some at a time, in the corpus' order."""
    import numpy as np

    out = np.zeros(len(answer))
    order = np.argsort(answer, kind="stable")
    for at in range(0, len(order), JUDGED):
        part = order[at : at + JUDGED]
        out[part] = exact_pairs(asked[owner[part]], answer[part], corpus)
    return out


def _judged(
    judge: Judge | None, query: NDArray[np.int64], document: NDArray[np.int64]
) -> NDArray[np.float64]:
    import numpy as np

    scores = np.full(len(query), np.nan)
    if judge is None:
        return scores
    for at in range(0, len(query), JUDGED):
        part = slice(at, at + JUDGED)
        said = np.asarray(judge(query[part], document[part]), np.float64)
        if said.shape != query[part].shape:
            raise InputInvalid(
                f"scores {said.shape} for {len(query[part])} pairs", "judge", "one score a pair"
            )
        scores[part] = said
    return scores


def _each(
    better: np.ufunc, owner: NDArray[np.int64], score: NDArray[np.float64], queries: int
) -> NDArray[np.float64]:
    """The best or worst score of each query's positives; NaN without any."""
    import numpy as np

    out = np.full(queries, np.nan)
    better.at(out, owner, score)
    return out
