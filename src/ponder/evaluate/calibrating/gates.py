"""When a stage need not run at all, by signals that cost no tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ponder.cascade.signals import SIGNALS
from ponder.evaluate.bootstrap import paired_difference
from ponder.evaluate.calibrating.blocks import Block
from ponder.evaluate.calibrating.weights import figures, folds
from ponder.evaluate.harm import allowed
from ponder.records import Gate, Kind

_DECILES = tuple(share / 10 for share in range(1, 10))

_WORTH = 0.05
"""Of a stage's tokens: a gate that saves less is not worth having."""


def fit_gate(
    blocks: Mapping[str, Sequence[Block]],
    kind: Kind,
    weights: Mapping[Kind, float],
    measures: Mapping[str, str],
) -> Gate | None:
    """Fit when to leave a stage out: one signal and one threshold, for what it saves.

    Of all signals, sides and deciles the gate is chosen that saves most tokens and loses nothing. Chosen on
    the other folds' queries, it must neither lose a first place on average nor, by its lower 95 % bound, more
    than `ponder.evaluate.harm` allows: of what a stage wins a gate should take none away.

    Args:
        blocks: By data set.
        kind: Of the candidates.
        weights: By kind, of the stage.
        measures: Each data set's own.

    Returns:
        None where no gate saves a twentieth of the tokens.
    """
    kept = [(name, b) for name, each in blocks.items() for b in each if kind in b.kinds]
    if not kept:
        return None
    gains = np.array([_gain(block, weights, measures[name]) for name, block in kept])
    tokens = np.array([float(block.tokens) for _, block in kept])
    signals = {s: np.array([block.signals.get(s, np.nan) for _, block in kept]) for s in SIGNALS}
    rules = [
        Gate(name, above, float(f"{threshold:.4g}"), "")
        for name, values in signals.items()
        if not np.isnan(values).any()
        for threshold in np.unique(np.quantile(values, _DECILES))
        for above in (True, False)
    ]
    shut = {rule: np.array([rule.shut(block.signals) for _, block in kept]) for rule in rules}
    everyone = np.arange(len(kept))
    chosen = _best(shut, gains, tokens, everyone)
    if chosen is None:
        return None
    lost = np.zeros(len(kept))
    for held, rest in folds(len(kept)):
        rule = _best(shut, gains, tokens, rest)
        if rule is not None:
            lost[held] = np.where(shut[rule][held], gains[held], 0.0)
    change = paired_difference((-lost).tolist(), [0.0] * len(lost))
    if change.mean < 0 or change.low < -allowed(len(lost)) - 1e-9:
        return None
    saved = float(tokens[shut[chosen]].sum() / tokens.sum())
    where = ", ".join(dict.fromkeys(name for name, _ in kept))
    why = f"on {where} ({len(kept)} queries) it saves {saved:.0%} of the tokens, {change.mean:+.3f}"
    return replace(chosen, why=f"{why} [{change.low:+.3f}, {change.high:+.3f}]")


def _gain(block: Block, weights: Mapping[Kind, float], measure: str) -> float:
    before, after = figures(block, [{}, weights], measure)
    return after - before


def _best(
    shut: Mapping[Gate, NDArray[np.bool_]],
    gains: NDArray[np.float64],
    tokens: NDArray[np.float64],
    queries: NDArray[np.int64],
) -> Gate | None:
    """The gate that saves most on these queries and loses nothing on them."""
    found = list(_harmless(shut, gains, tokens, queries))
    total = tokens[queries].sum()
    saved, best = max(found, key=lambda each: each[0], default=(0.0, None))
    return best if total and saved >= _WORTH * total else None


def _harmless(
    shut: Mapping[Gate, NDArray[np.bool_]],
    gains: NDArray[np.float64],
    tokens: NDArray[np.float64],
    queries: NDArray[np.int64],
) -> Iterator[tuple[float, Gate]]:
    for rule, closed in shut.items():
        left_out = queries[closed[queries]]
        if gains[left_out].sum() <= 0:
            yield float(tokens[left_out].sum()), rule
