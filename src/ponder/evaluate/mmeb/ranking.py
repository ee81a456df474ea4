"""From embeddings to where each query's labels stand, over a shared pool or the queries' own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from ponder.evaluate.mmeb.exact import keys
from ponder.evaluate.mmeb.judged import Judged
from ponder.evaluate.mmeb.nearest import Advance, Nearest, nearest
from ponder.evaluate.mmeb.official import DEEPEST
from ponder.evaluate.mmeb.parsed import Name
from ponder.evaluate.mmeb.standing import NO_LABEL, Standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scope = Literal["global", "local"]
"""Whether a query is ranked over the whole pool, or over candidates of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """A task's embeddings.

    Attributes:
        queries: (queries, dim), any float type; one row a query.
        pool: (candidates, dim); one row a name.
        names: Of the pool, each once, in the official order.
    """

    queries: NDArray[Any]
    pool: NDArray[Any]
    names: Sequence[Name]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Every query's ranking.

    Attributes:
        standings: Where the labels stand.
        once: The same with each name ranked once, of the queries whose candidates are repeated.
        predictions: The names, best first, as deep as asked for.
    """

    standings: list[Standing]
    once: dict[int, Standing]
    predictions: list[list[Name]]


def rank_global(
    vectors: Vectors, judged: Sequence[Judged], depth: int = DEEPEST, advance: Advance | None = None
) -> Ranked:
    """Rank the whole pool for each query.

    Args:
        vectors: The task's embeddings.
        judged: One a query.
        depth: How many names of each ranking to keep.
        advance: Called with (queries done, queries).
    """
    import numpy as np

    found = nearest(vectors.queries, vectors.pool, depth, advance)
    place_of = {name: place for place, name in enumerate(vectors.names)}
    asked, label, places = [], [], []
    for query, each in enumerate(judged):
        for number, name in enumerate(each.names):
            if name in place_of:
                asked.append(query)
                label.append(number)
                places.append(place_of[name])
    at = np.array(asked, np.int64)
    scores = keys(vectors.queries, vectors.pool, at, np.array(places, np.int64))
    marks: list[dict[int, int]] = [{} for _ in judged]
    cuts: list[dict[int, int]] = [{} for _ in judged]
    last = found.cut.tolist()
    for query, number, place, score in zip(asked, label, places, scores.tolist(), strict=True):
        marks[query][place] = number
        if score == last[query]:
            cuts[query][number] = 1
    standings = _standings(found, marks, cuts)
    names = vectors.names
    predictions = [[names[place] for place in row[:depth]] for row in found.places.tolist()]
    return Ranked(standings, {}, predictions)


def _standings(
    found: Nearest, marks: Sequence[dict[int, int]], cuts: Sequence[dict[int, int]]
) -> list[Standing]:
    places, scores = found.places[:, :DEEPEST].tolist(), found.keys[:, :DEEPEST].tolist()
    standings = []
    for row, score, tied, mark, cut in zip(places, scores, found.tied.tolist(), marks, cuts, strict=True):
        runs = _runs(score)
        if runs:
            runs[-1] = int(tied)
        standings.append(Standing(tuple(mark.get(place, NO_LABEL) for place in row), tuple(runs), cut))
    return standings


def _runs(scores: Sequence[float]) -> list[int]:
    if len(set(scores)) == len(scores):
        return [1] * len(scores)
    return [len(list(run)) for _, run in groupby(scores)]


def rank_local(
    vectors: Vectors,
    judged: Sequence[Judged],
    candidates: Sequence[Sequence[Name]],
    depth: int = DEEPEST,
    advance: Advance | None = None,
) -> Ranked:
    """Rank each query's own candidates; a name that is there twice is ranked twice.

    Args:
        vectors: The task's embeddings.
        judged: One a query.
        candidates: Each query's, all of them in the pool.
        depth: How many names of each ranking to keep.
        advance: Called with (queries done, queries).
    """
    import numpy as np

    place_of = {name: place for place, name in enumerate(vectors.names)}
    found = Ranked([], {}, [])
    for query, (each, own) in enumerate(zip(judged, candidates, strict=True)):
        places = np.array([place_of[name] for name in own], np.int64)
        scores = keys(vectors.queries, vectors.pool, np.full(len(own), query), places)
        # A stable sort keeps the candidates' order among equals.
        order = np.argsort(-scores, kind="stable")
        names = [own[place] for place in order.tolist()]
        ranked = scores[order].tolist()
        found.standings.append(_standing(names, ranked, each))
        if len(set(own)) < len(own):
            first: dict[Name, float] = {}
            for name, score in zip(names, ranked, strict=True):
                first.setdefault(name, score)
            found.once[query] = _standing(list(first), list(first.values()), each)
        found.predictions.append(names[:depth])
        if advance:
            advance(query + 1, len(judged))
    return found


def rank_scored(
    rankings: Sequence[tuple[Sequence[Name], Sequence[float]]],
    judged: Sequence[Judged],
    candidates: Sequence[Sequence[Name]] | None = None,
    depth: int = DEEPEST,
) -> Ranked:
    """Take rankings as a cascade made them, with the scores that say what is tied.

    Args:
        rankings: Of each query, names, best first, each once, and their scores, which never rise.
        judged: One a query.
        candidates: The queries' own, where they have some: a name that is there twice is ranked twice, as the
            official evaluator does.
        depth: How many names of each ranking to keep.

    Example:
        >>> one = Judged(("a",), (1.0,), (1.0,), False)
        >>> rank_scored([(["b", "a"], [0.5, 0.5])], [one]).standings[0].runs
        (2,)
    """
    found = Ranked([], {}, [])
    for query, ((names, scores), each) in enumerate(zip(rankings, judged, strict=True)):
        times = Counter(candidates[query]) if candidates is not None else Counter(names)
        pairs = list(zip(names, scores, strict=True))
        several = [pair for pair in pairs for _ in range(max(1, times[pair[0]]))]
        shown = [name for name, _ in several]
        found.standings.append(_standing(shown, [score for _, score in several], each))
        if len(several) > len(pairs):
            found.once[query] = _standing(list(names), list(scores), each)
        found.predictions.append(shown[:depth])
    return found


def _standing(names: Sequence[Name], scores: Sequence[float], judged: Judged) -> Standing:
    index = {name: number for number, name in enumerate(judged.names)}
    marks = tuple(index.get(name, NO_LABEL) for name in names[:DEEPEST])
    runs = _runs(scores[:DEEPEST])
    cut: Counter[int] = Counter()
    if runs:
        last = scores[len(marks) - 1]
        runs[-1] = scores.count(last)
        cut.update(
            index[name] for name, score in zip(names, scores, strict=True) if score == last and name in index
        )
    return Standing(marks, tuple(runs), cut)
