"""From scores and judgements to a curve of chances: logistic or isotonic, whichever foretells better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ponder.evaluate.calibrating.blocks import Block
from ponder.evaluate.calibrating.weights import FOLDS
from ponder.records import Kind
from ponder.rerank.chances import Curve, Isotonic, Platt
from ponder.rerank.fusion import centred, usable

Fitting = Callable[["NDArray[np.float64]", "NDArray[np.int64]"], Curve]

_FEWEST = 10
_KNOTS = 32


def fit_curve(blocks: Sequence[Block], kind: Kind) -> tuple[Curve | None, bool]:
    """Fit the curve of one judge on one kind.

    Logistic (Platt, 1999) and isotonic (Zadrozny and Elkan, 2002), each of the scores as they are and less
    their mean over the query's candidates, are compared by log loss on queries that they were not fitted on.

    Args:
        blocks: Queries with candidates, verdicts and judgements.
        kind: Of the candidates.

    Returns:
        The curve, and whether it takes centred scores; no curve with fewer than 10 candidates of either
        relevance, or where all scores are the same.
    """
    best: tuple[float, Curve, bool] | None = None
    for centre in (True, False):
        scores, relevant, queries = _judged(blocks, kind, centre)
        if min(relevant.sum(), len(relevant) - relevant.sum()) < _FEWEST or np.ptp(scores) == 0:
            return None, True
        for fit in (_platt, _isotonic):
            loss = _loss(fit, scores, relevant, queries)
            if best is None or loss < best[0] - 1e-9:
                best = loss, fit(scores, relevant), centre
    return (None, True) if best is None else (best[1], best[2])


def _judged(
    blocks: Sequence[Block], kind: Kind, centre: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    rows: list[tuple[float, int, int]] = []
    for number, block in enumerate(blocks):
        said = centred(block.said, block.kinds) if centre else block.said
        for name, k, score in zip(block.ids, block.kinds, said, strict=True):
            if k == kind and score is not None and usable(score):
                rows.append((score, int(block.grades.get(name, 0) > 0), number))
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return table[:, 0], table[:, 1].astype(np.int64), table[:, 2].astype(np.int64)


def _platt(scores: NDArray[np.float64], relevant: NDArray[np.int64]) -> Curve:
    from sklearn.linear_model import LogisticRegression

    # In units of their deviation, so that the solver's tolerance means the same for any judge.
    middle, unit = float(scores.mean()), float(scores.std()) or 1.0
    model = LogisticRegression(C=1e6, max_iter=1000).fit((scores[:, None] - middle) / unit, relevant)
    slope = float(model.coef_[0, 0]) / unit
    return Platt(round(slope, 6), round(float(model.intercept_[0]) - slope * middle, 6))


def _isotonic(scores: NDArray[np.float64], relevant: NDArray[np.int64]) -> Curve:
    """With at most 32 knots: pools of few candidates would promise certainty."""
    from sklearn.isotonic import IsotonicRegression

    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _KNOTS + 1)))
    bins = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, max(0, len(edges) - 2))
    used = np.unique(bins)
    means = np.array([scores[bins == each].mean() for each in used])
    # One imagined candidate of each relevance, so that no chance is 0 or 1.
    counts = np.array([(bins == each).sum() for each in used])
    shares = np.array(
        [(relevant[bins == each].sum() + 0.5) / (n + 1) for each, n in zip(used, counts, strict=True)]
    )
    chances = IsotonicRegression().fit_transform(means, shares, sample_weight=counts)
    knots = dict(zip(np.round(means, 6).tolist(), np.round(chances, 6).tolist(), strict=True))
    return Isotonic(tuple(knots), tuple(knots.values()))


def _loss(
    fit: Fitting, scores: NDArray[np.float64], relevant: NDArray[np.int64], queries: NDArray[np.int64]
) -> float:
    """Mean log loss of candidates whose query was not fitted on."""
    total = 0.0
    for fold in range(FOLDS):
        held = queries % FOLDS == fold
        known = relevant[~held]
        if not held.any() or not 0 < known.sum() < len(known):
            continue
        curve = fit(scores[~held], known)
        chances = np.clip([curve.chance(score) for score in scores[held]], 1e-6, 1 - 1e-6)
        total -= float(np.log(np.where(relevant[held] == 1, chances, 1 - chances)).sum())
    return total / len(scores)
