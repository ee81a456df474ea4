"""Who is judged next, and when a judge may stop: tokens go to candidates whose order is still open.

A race with confidence widths: candidates are judged in rounds, and it ends when no candidate that is left
could still take the lead (Hoeffding races, Maron and Moore, 1994; the stopping rule of LUCB, Kalyanakrishnan
et al., 2012). A verdict is not a sample: a second one on the same candidate would say the same. So a width
is not that of a mean but how far a verdict moves a candidate, its judge's *swing*, and there is one verdict a
candidate; with a price on tokens this is Pandora's rule (Weitzman, Econometrica 1979).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ponder.errors import BadArguments

Allocation = Literal["uniform", "adaptive"]

ALLOCATIONS: tuple[Allocation, ...] = get_args(Allocation)

WIDTH = 1.25
"""Swings by which a candidate may lie behind and still be judged. Of normal verdicts 11 % move further up;
fitted on the dev splits (docs/log.md)."""

ROUND = 4
"""Candidates of a round. A judge that sits reads what a query's candidates share once for all rounds: more of
them cost time alone. Any other reads it in each, so of him there are two: after the first everyone who is
still contested is judged at once. With fewer than four on dev first places are lost (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A candidate in a race.

    Attributes:
        score: After the earlier stage.
        swing: Standard deviation of what verdicts on its kind move, weighted as they are added; inf where
            it is not known yet.
        group: Its kind.
        width: Swings by which it may lie behind and still be judged.
    """

    score: float
    swing: float
    group: str
    width: float = WIDTH


@dataclass(frozen=True, slots=True)
class Round:
    """What to do next.

    Attributes:
        places: Candidates to judge, by place; empty when it is over.
        why: What a trace says of it.
    """

    places: tuple[int, ...]
    why: str


def check_allocation(name: str) -> Allocation:
    """`name`, if it is an allocator's.

    Raises:
        BadArguments: It is none.

    Example:
        >>> check_allocation("adaptive")
        'adaptive'
    """
    for known in ALLOCATIONS:
        if name == known:
            return known
    raise BadArguments(f"unknown allocator {name!r}", "--allocate", f"known: {', '.join(ALLOCATIONS)}")


def next_round(
    runners: Sequence[Runner],
    judged: Mapping[int, float | None],
    *,
    sits: bool = False,
) -> Round:
    """The next candidates to judge.

    Args:
        runners: All that may be judged, best first.
        judged: Place → how far its verdict moves it (`Weighing.weighted`), None for one without a readable
            verdict.
        sits: Whether a round costs no more for there being others (`ponder.protocols.Sits`).

    Returns:
        Places that are contested and not judged, best first: at the beginning, and with a judge that sits
        always, `ROUND` at most; none when the lead is safe.

    Example:
        >>> close = [Runner(score, 0.1, "image") for score in (0.50, 0.45, 0.44, 0.10)]
        >>> next_round(close, {}).places
        (0, 1, 2)
        >>> next_round(close, {0: 0.1, 1: -0.1, 2: 0.0}).places
        ()
        >>> next_round([Runner(0.9, 0.1, "image"), Runner(0.2, 0.1, "image")], {}).why
        'the lead of 0.7 is safe: verdicts move 0.125'
    """
    swings, leader = _race(runners, judged)
    waiting = [place for place in range(len(runners)) if place not in judged]
    reach = [runner.width * swing for runner, swing in zip(runners, swings, strict=True)]
    contested = [place for place in waiting if runners[place].score + reach[place] > leader]
    if not judged and contested == [0]:
        lead = leader - runners[1].score if len(runners) > 1 else math.inf
        return Round((), f"the lead of {lead:.3g} is safe: verdicts move {reach[0]:.3g}")
    if not contested:
        why = "all are judged" if not waiting else f"the lead is safe from the {len(waiting)} not judged"
        return Round((), why)
    chosen = tuple(contested[:ROUND] if sits or not judged else contested)
    return Round(chosen, f"{len(contested)} could still lead, {len(chosen)} are judged next")


def chance(runners: Sequence[Runner], judged: Mapping[int, float | None], places: Sequence[int]) -> float:
    """How likely it is that judging these candidates changes who leads, if verdicts are normal.

    Each is held against the leader alone, and their chances are taken to be independent: a signal to rank
    questions by, not a probability to bet on.

    Args:
        runners: As for `next_round`.
        judged: As for `next_round`.
        places: Who would be judged.

    Returns:
        0 to 1; a half for each candidate of whom it is not known how far verdicts move it.

    Example:
        >>> field = [Runner(score, 0.1, "image") for score in (0.50, 0.50, 0.10)]
        >>> [round(chance(field, {0: 0.0}, [place]), 3) for place in (1, 2)]
        [0.5, 0.0]
        >>> chance(field, {0: 0.0, 1: 0.0, 2: 0.0}, [])
        0.0
    """
    swings, leader = _race(runners, judged)
    own = 0.0 if judged else swings[0]
    stays = 1.0
    for place in places:
        if place == 0 and not judged:
            continue
        spread = math.hypot(swings[place], own)
        behind = leader - runners[place].score
        stays *= 1 - (_above(behind / spread) if spread > 0 else float(behind < 0))
    return 1 - stays


def _above(deviations: float) -> float:
    """Share of a normal distribution that lies above so many deviations."""
    return math.erfc(deviations / math.sqrt(2)) / 2


def _race(runners: Sequence[Runner], judged: Mapping[int, float | None]) -> tuple[list[float], float]:
    """The swing of each, and the leader's score; before any verdict the first leads, as it is."""
    said = {place: move for place, move in judged.items() if move is not None}
    sums = (runners[place].score + move for place, move in said.items())
    return [_swing(runner, said, runners) for runner in runners], max(sums, default=runners[0].score)


def _swing(runner: Runner, said: Mapping[int, float], runners: Sequence[Runner]) -> float:
    """The judge's own word, or what the verdicts on its kind show once there are three."""
    if math.isfinite(runner.swing):
        return runner.swing
    alike = [verdict for place, verdict in said.items() if runners[place].group == runner.group]
    if len(alike) < 3:
        return math.inf
    return math.sqrt(math.fsum(verdict * verdict for verdict in alike) / (len(alike) - 1))
