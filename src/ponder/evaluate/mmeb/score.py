"""A task's figures: the official ones, what is not well defined about them, and the textbook's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.evaluate.mmeb.bounds import extremes
from ponder.evaluate.mmeb.judged import Judged
from ponder.evaluate.mmeb.official import METRICS, means, metrics_by_query
from ponder.evaluate.mmeb.ranking import Ranked
from ponder.evaluate.mmeb.standing import slots_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ByQuery = dict[str, NDArray[np.float64]]

EQUAL = 1e-12
"""Means that are nearer than this differ by the order of their sums."""

TIES = "candidates with one score stand in an order that the official sort leaves open"
PAIRINGS = "grades of string labels are paired in the order of a set, which changes with PYTHONHASHSEED"


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A metric that the official evaluator does not define.

    Attributes:
        metric: Its name.
        why: What is open.
        least: Its least value over all choices.
        greatest: Its greatest.
        queries: How many queries are open.
    """

    metric: str
    why: str
    least: float
    greatest: float
    queries: int


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A task's score.

    Attributes:
        metrics: The official values; ties keep the candidates' order, grades of string labels the labels'.
        ties_against: The same with every tie resolved against the labels; None where scores are not known.
        ambiguous: The metrics that are not well defined.
        textbook: Those that a textbook defines otherwise: grades go with the labels that they were written
            for, a candidate is ranked once, and queries without labels are left out.
        by_query: Metric → float64 (queries,), the official values.
    """

    metrics: Mapping[str, float]
    ties_against: Mapping[str, float] | None
    ambiguous: Sequence[Ambiguous]
    textbook: Mapping[str, float]
    by_query: Mapping[str, NDArray[np.float64]]

    @property
    def official(self) -> dict[str, Any]:
        """As a ``_score.json`` has it."""
        count = len(next(iter(self.by_query.values())))
        return {**self.metrics, "num_pred": count, "num_data": count}

    @property
    def fields(self) -> dict[str, Any]:
        """As ``ponder mmeb score --json`` prints them."""
        ambiguous = [
            {
                "metric": each.metric,
                "why": each.why,
                "min": each.least,
                "max": each.greatest,
                "queries": each.queries,
            }
            for each in self.ambiguous
        ]
        found: dict[str, Any] = {
            "metrics": self.official,
            "ties_against": self.ties_against,
            "ambiguous": ambiguous,
        }
        return {**found, "textbook": dict(self.textbook)} if self.textbook else found


def score(ranked: Ranked, judged: Sequence[Judged], *, scores_known: bool = True) -> Scored:
    """Every figure of a task.

    Args:
        ranked: Where the labels stand.
        judged: The queries' labels.
        scores_known: False for rankings that came without scores: nothing is known of their ties.

    Example:
        >>> from ponder.evaluate.mmeb.standing import Standing
        >>> one = Judged(("a",), (1.0,), (1.0,), False)
        >>> found = score(Ranked([Standing((0, -1), (2,))], {}, []), [one])
        >>> found.metrics["hit@1"], found.ties_against["hit@1"], found.ambiguous[0].metric
        (1.0, 0.0, 'hit@1')
    """
    official = metrics_by_query(slots_of(ranked.standings, judged))
    against, low, high, reasons = _open(ranked, judged, official)
    return Scored(
        metrics=means(official),
        ties_against=means(against) if scores_known else None,
        ambiguous=_ambiguous(low, high, reasons),
        textbook=_textbook(ranked, judged, means(official)),
        by_query=official,
    )


def _open(
    ranked: Ranked, judged: Sequence[Judged], official: ByQuery
) -> tuple[ByQuery, ByQuery, ByQuery, dict[str, list[int]]]:
    """Figures with ties against, least, greatest; and which queries are open why."""
    tied = [row for row, each in enumerate(ranked.standings) if each.tied]
    undefined = [row for row, each in enumerate(judged) if each.undefined]
    against, low, high = ({name: values.copy() for name, values in official.items()} for _ in range(3))
    if tied:
        part = [ranked.standings[row] for row in tied], [judged[row] for row in tied]
        _put(against, tied, extremes(*part, pairings=False)[0])
    rows = sorted({*tied, *undefined})
    if rows:
        part = [ranked.standings[row] for row in rows], [judged[row] for row in rows]
        least, greatest = extremes(*part, pairings=True)
        _put(low, rows, least)
        _put(high, rows, greatest)
    return against, low, high, {TIES: tied, PAIRINGS: undefined}


def _put(into: ByQuery, rows: Sequence[int], values: ByQuery) -> None:
    for name, each in values.items():
        into[name][rows] = each


def _ambiguous(low: ByQuery, high: ByQuery, reasons: Mapping[str, Sequence[int]]) -> list[Ambiguous]:
    import numpy as np

    found = []
    least, greatest = means(low), means(high)
    for metric in METRICS:
        if greatest[metric] - least[metric] <= EQUAL:
            continue
        wide = set(np.flatnonzero(high[metric] - low[metric] > EQUAL).tolist())
        why = [
            reason
            for reason, rows in reasons.items()
            if wide & set(rows) and (reason == TIES or metric.startswith("ndcg"))
        ]
        found.append(Ambiguous(metric, "; ".join(why), least[metric], greatest[metric], len(wide)))
    return found


def _textbook(ranked: Ranked, judged: Sequence[Judged], official: Mapping[str, float]) -> dict[str, float]:
    rows = [row for row, each in enumerate(judged) if each.names]
    same = len(rows) == len(judged) and not ranked.once
    if same and all(each.grades == each.textbook for each in judged):
        return {}
    standings = [ranked.once.get(row, ranked.standings[row]) for row in rows]
    values = means(metrics_by_query(slots_of(standings, [judged[row] for row in rows], textbook=True)))
    return {name: value for name, value in values.items() if abs(value - official[name]) > EQUAL}
