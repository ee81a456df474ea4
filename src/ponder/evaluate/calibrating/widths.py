"""How far behind a candidate must lie to be left out of a race, so that racing loses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ponder.cascade.pacing import WIDTH, Runner, next_round
from ponder.cascade.weighing import measured_swing
from ponder.evaluate.calibrating.blocks import Block
from ponder.evaluate.calibrating.weights import figures
from ponder.evaluate.metrics import scores_of
from ponder.records import Kind, Trust
from ponder.rerank.fusion import centred, usable

WIDTHS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0)
"""That are tried, in swings; beyond the last everyone is judged."""


def fit_width(
    blocks: Mapping[str, Sequence[Block]],
    kind: Kind,
    trust: Trust,
    measures: Mapping[str, str],
) -> float:
    """The least width at which racing has the figure of judging everyone, and at each larger one too.

    A figure that looks below the first place, as ndcg@5 does, needs a wider one than hit@1.

    Args:
        blocks: By data set.
        kind: Of the candidates.
        trust: The judge's weight and swing.
        measures: Each data set's own.

    Returns:
        One of `WIDTHS`, the largest if none will do; `ponder.cascade.pacing.WIDTH` where nobody is judged.
    """
    kept = [(name, b) for name, each in blocks.items() for b in each if kind in b.kinds]
    if not kept or not trust.weight:
        return WIDTH
    whole = sum(figures(block, [{kind: trust.weight}], measures[name])[0] for name, block in kept)
    chosen = WIDTHS[-1]
    for width in reversed(WIDTHS):
        raced = sum(_raced(block, kind, trust, width, measures[name]) for name, block in kept)
        if raced < whole - 1e-9:
            break
        chosen = width
    return chosen


def _raced(block: Block, kind: Kind, trust: Trust, width: float, measure: str) -> float:
    swings = block.swings or (None,) * len(block.ids)
    runners = [
        Runner(score, trust.weight * measured_swing(trust, said) if k == kind else 0.0, k, width)
        for score, k, said in zip(block.earlier, block.kinds, swings, strict=True)
    ]
    judged: dict[int, float | None] = {}
    while (step := next_round(runners, judged, sits=block.sits)).places:
        judged = _moves(block, kind, trust.weight, {*judged, *step.places})
    moved = [judged.get(place) for place in range(len(runners))]
    return scores_of(block.reordered(moved), block.grades)[measure]


def _moves(block: Block, kind: Kind, weight: float, places: set[int]) -> dict[int, float | None]:
    said = [
        s if p in places and k == kind else None
        for p, (s, k) in enumerate(zip(block.said, block.kinds, strict=True))
    ]
    less = centred(said, block.kinds)
    return {p: weight * s if (s := less[p]) is not None and usable(s) else None for p in sorted(places)}
