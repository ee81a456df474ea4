"""Which of many pairs a person should look at."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import zip_longest

from ponder.train.pairs import Decision, Pair

_TURNS: tuple[tuple[Decision, ...], ...] = (
    ("suspect-positive",),
    ("false-negative",),
    ("doubtful", "hard-negative", "positive"),
)
"""Shown in turn, so that one sort that is many leaves room for the others."""


def doubtful(pairs: Iterable[Pair], most: int) -> list[Pair]:
    """The pairs that a person should look at: suspects, false negatives and close calls in turn.

    Within each, what lies nearest to its threshold comes first.

    Args:
        pairs: All; only some times `most` of them are held.
        most: How many.

    Example:
        >>> near = Pair("q", "near", "hard-negative", judge=0.90, threshold=0.95)
        >>> far = Pair("q", "far", "hard-negative", judge=0.10, threshold=0.95)
        >>> wrong = Pair("q", "wrong", "suspect-positive", grade=1)
        >>> [pair.document_id for pair in doubtful([far, near, wrong], 2)]
        ['wrong', 'near']
    """
    turns: list[list[Pair]] = [[] for _ in _TURNS]
    for pair in pairs:
        turn = next((number for number, kinds in enumerate(_TURNS) if pair.decision in kinds), None)
        if turn is None or pair.decided_by != "rule" or _distance(pair) is None:
            continue
        turns[turn].append(pair)
        if len(turns[turn]) > 8 * most:
            turns[turn] = heapq.nsmallest(most, turns[turn], key=_nearest)
    ordered = zip_longest(*(sorted(turn, key=_nearest)[:most] for turn in turns))
    return [pair for each in ordered for pair in each if pair is not None][:most]


def _distance(pair: Pair) -> float | None:
    """From the threshold that decided; None where nothing did and so nothing is in doubt."""
    kind, figure = pair.decision, pair.figure
    if figure is None and kind != "false-negative":
        figure = pair.retrieval if pair.judge is None else pair.judge
    if figure is None or pair.threshold is None:
        return None if kind in ("hard-negative", "positive") else 0.0
    return abs(figure - pair.threshold)


def _nearest(pair: Pair) -> float:
    return _distance(pair) or 0.0
