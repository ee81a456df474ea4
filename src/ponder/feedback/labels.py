"""Doubt of labels: which of them look rather like a query with a document that was drawn at random.

Nobody says which labels are wrong, but what a wrong one looks like is known: like a random pair. So a
logistic regression learns to tell labelled pairs from random ones, by figures of the retriever and of the
other labels, and each label is judged by the regression of the queries that it is not among (four folds).
This is learning from positive and unlabelled examples (Elkan and Noto, 2008,
https://doi.org/10.1145/1401890.1401920) with the roles exchanged: random pairs are sure to be random, of the
labelled ones some are too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.feedback.finding import Finder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ponder.evaluate.beir import JudgedQuery

LEAST = 100
"""Labels below which nothing is said: eight figures cannot be weighed by fewer."""

_FOLDS = 4
_DRAWN = 4
"""Random documents for each label."""

_FITTED = 2000
"""Labels, at most, that the regression learns from; drawn at random where there are more."""

_BESIDE = 1000
"""Queries, at most, among which a document's own query is ranked."""

_ALIKE = 8
"""Labels of look-alikes that a query is compared with."""

_BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of queries and their labels; queries by row, documents by place.

    Attributes:
        likeness: float32 (q, d), query vectors of unit norm.
        owners: Rows by the place that they are labelled with.
        labelled: Those places, sorted.
    """

    likeness: NDArray[np.float32]
    owners: Mapping[int, Sequence[int]]
    labelled: NDArray[np.int64]


def odds_of(queries: Sequence[JudgedQuery], finder: Finder) -> dict[tuple[str, str], float]:
    """How many times likelier a label's figures are for a random document than for a labelled one.

    The figures: the document's place and standing among all documents for the query, and the query's place
    among queries for the document; whether other queries are labelled with the document, how like they are to
    this one, and how much better they fit; how like the queries are that its look-alikes are labelled with.

    Args:
        queries: A split's, with their labels.
        finder: Of its corpus.

    Returns:
        By query and document id, for each positive label of the corpus; the same on every call. Empty where
        there are fewer than `LEAST` labels; 0 where the other queries have too few to learn from, or hardly a
        document is left to draw.
    """
    import numpy as np

    rows, vectors = finder.asked(queries)
    places = [finder.labelled(queries[row]) for row in rows]
    pairs = [(row, place) for row, some in enumerate(places) for place in some]
    if len(pairs) < LEAST:
        return {}
    draw = np.random.default_rng(0)
    chosen = np.sort(draw.permutation(len(pairs))[:_FITTED])
    drawn = [
        (row, int(place))
        for row in (pairs[number][0] for number in chosen)
        for place in draw.integers(finder.count, size=_DRAWN)
        if place not in places[row]
    ]
    owners: dict[int, list[int]] = {}
    for row, place in pairs:
        owners.setdefault(place, []).append(row)
    norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    known = _Known(vectors / norms, owners, np.array(sorted(owners), np.int64))
    figures = _figures([*pairs, *drawn], vectors, known, finder, draw)
    own, others = figures[: len(pairs)], figures[len(pairs) :]
    fold = draw.integers(_FOLDS, size=len(vectors))
    of_pairs = np.array([fold[row] for row, _ in pairs])
    of_drawn = np.array([fold[row] for row, _ in drawn])
    odds = np.zeros(len(pairs))
    for number in range(_FOLDS):
        learned = chosen[of_pairs[chosen] != number]
        asked, beside = of_pairs == number, of_drawn != number
        if asked.any() and min(len(learned), int(beside.sum())) >= LEAST // 2:
            odds[asked] = _odds(own[learned], others[beside], own[asked])
    ids = [queries[row].query.id for row in rows]
    return {(ids[row], finder.name(place)): float(o) for (row, place), o in zip(pairs, odds, strict=True)}


def _odds(
    labelled: NDArray[np.float64], drawn: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Density of drawn pairs over that of labelled ones, at what is asked."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    mean, spread = (each(np.concatenate([labelled, drawn]), axis=0) for each in (np.mean, np.std))
    spread = np.where(spread > 0, spread, 1.0)
    told = np.repeat([0, 1], [len(labelled), len(drawn)])
    model = LogisticRegression().fit((np.concatenate([labelled, drawn]) - mean) / spread, told)
    decided: NDArray[np.float64] = model.decision_function((asked - mean) / spread)
    return np.exp(np.minimum(decided, 50.0)) * len(labelled) / len(drawn)


def _figures(
    pairs: Sequence[tuple[int, int]],
    vectors: NDArray[np.float32],
    known: _Known,
    finder: Finder,
    draw: np.random.Generator,
) -> NDArray[np.float64]:
    """float64 (pairs, 8)."""
    import numpy as np

    of_row: dict[int, list[int]] = {}
    for number, (row, _) in enumerate(pairs):
        of_row.setdefault(row, []).append(number)
    columns = np.array(sorted({place for _, place in pairs}), np.int64)
    column = {int(place): number for number, place in enumerate(columns)}
    beside = set(draw.permutation(len(vectors))[:_BESIDE].tolist())
    others: list[NDArray[np.float32]] = []
    score, rank, standing = (np.zeros(len(pairs)) for _ in range(3))
    for start in range(0, len(vectors), _BLOCK):
        scores = finder.scores(vectors[start : start + _BLOCK])
        for row, line in enumerate(scores, start):
            if row in beside:
                others.append(line[columns])
            mean, spread = float(line.mean()), float(line.std()) or 1.0
            for number in of_row.get(row, ()):
                score[number] = line[pairs[number][1]]
                rank[number] = 1 + np.count_nonzero(line > score[number])
                standing[number] = (score[number] - mean) / spread
    table = np.array(others)
    stands = {pair: standing[number] for number, pair in enumerate(pairs)}
    alike = dict(_look_alikes(columns, known, finder))
    figures = np.zeros((len(pairs), 8))
    for number, (row, place) in enumerate(pairs):
        nearer = 1 + np.count_nonzero(table[:, column[place]] > score[number])
        also = [other for other in known.owners.get(place, ()) if other != row]
        around = [other for other in alike[place] if other != row][:_ALIKE]
        asking = known.likeness[around] @ known.likeness[row]
        figures[number] = (
            np.log(rank[number]),
            standing[number],
            np.log(nearer),
            bool(also),
            max((float(known.likeness[other] @ known.likeness[row]) for other in also), default=0.0),
            standing[number] - max(stands[other, place] for other in also) if also else 0.0,
            asking.max() if around else 0.0,
            asking.mean() if around else 0.0,
        )
    return figures


def _look_alikes(places: NDArray[np.int64], known: _Known, finder: Finder) -> Iterator[tuple[int, list[int]]]:
    """The queries that a document's nearest labelled documents, without itself, answer."""
    import numpy as np

    most = min(_ALIKE + 2, len(known.labelled))
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK]
        close = finder.close(block, known.labelled)
        near = np.argsort(-close, axis=1, kind="stable")[:, :most]
        for place, some in zip(block.tolist(), known.labelled[near].tolist(), strict=True):
            yield place, [row for other in some if other != place for row in known.owners[other]]
