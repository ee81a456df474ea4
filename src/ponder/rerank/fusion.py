"""Fusion: what a judge says, weighed against what the earlier stage said.

The sum of the retriever's score and a weighted judge's score is that of LamRA (arXiv:2412.01720). A
judge's scores may be probabilities, log-probabilities or logits, so the weight belongs to the judge and
is fitted on a dev split.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Normalise = Literal["raw", "zscore", "minmax"]

LARGEST = 1e9
"""A score beyond this is no probability, log-probability or logit: the judge is broken."""


@dataclass(frozen=True, slots=True)
class Fused:
    """A block after fusion.

    Attributes:
        order: For each place, the index of the candidate that now stands there; a permutation.
        scores: For each place, the score to show; never rises from place to place.
        sums: For each candidate, earlier score + weight * judge's; None where it was not judged.
    """

    order: tuple[int, ...]
    scores: tuple[float, ...]
    sums: tuple[float | None, ...]


def usable(score: object) -> bool:
    """Whether a verdict's score can be fused: a finite number of sane size, and no bool.

    Example:
        >>> [usable(s) for s in (0.5, -7, None, float("nan"), "yes", True)]
        [True, True, False, False, False, False]
    """
    if isinstance(score, bool | str) or score is None:
        return False
    try:
        number = float(score)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return math.isfinite(number) and abs(number) <= LARGEST


def spread_of(scores: Sequence[float]) -> float:
    """Root of the mean square about the mean; 0.0 for fewer than two.

    Example:
        >>> spread_of([1.0, 3.0])
        1.0
    """
    if len(scores) < 2:
        return 0.0
    mean = math.fsum(scores) / len(scores)
    return math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))


def centred(scores: Sequence[float | None], groups: Sequence[str]) -> list[float | None]:
    """Scores less the mean of their group; those that are not `usable` stay as they are.

    A judge reads pictures and pages behind different prompts, so their scores have different zeros. Within
    one kind this changes no order; between kinds it leaves the earlier stage's word standing, but for what
    sets a candidate off from the others of its kind.

    Example:
        >>> centred([-2.0, -4.0, -9.0, None], ["image", "image", "page", "page"])
        [1.0, -1.0, 0.0, None]
    """
    members: dict[str, list[float]] = {}
    for score, group in zip(scores, groups, strict=True):
        if score is not None and usable(score):
            members.setdefault(group, []).append(score)
    means = {group: math.fsum(values) / len(values) for group, values in members.items()}
    return [
        score - means[group] if score is not None and usable(score) else score
        for score, group in zip(scores, groups, strict=True)
    ]


def fuse(
    earlier: Sequence[float],
    judged: Sequence[float | None],
    weight: float,
    *,
    normalise: Normalise = "raw",
    floor: float | None = None,
) -> Fused:
    """Reorder a block of candidates by ``earlier + weight * judged``.

    Candidates without a usable score keep their absolute place; the judged ones are sorted into the
    places that the judged ones held, ties in the earlier order.

    The scores to show are the sums, all moved by one constant: so that their mean is what it was, since
    where a judge's zero lies means nothing and the lead over those that were not judged is not the judge's
    to give or take; or further up, so that the lowest is not below the candidate that follows. Differences
    between judged candidates are kept, so a later stage fuses onto the same scale. A candidate that kept
    its place among them shows its earlier score, moved between its neighbours'.

    Args:
        earlier: Scores after the earlier stage, best first (never rising).
        judged: The judge's score of each candidate; anything that is not `usable` counts as unjudged.
        weight: Of the judge's score, from 0 to `LARGEST`.
        normalise: "raw" leaves the judge's scores as they are, the default: the other two stretch any
            two candidates to the same distance, however sure the judge is. "zscore" makes their mean 0
            and deviation 1 over the judged, "minmax" maps them onto 0 to 1; both make equal scores 0.
        floor: Score of the candidate that follows the whole block, if one does.

    Example:
        >>> fuse([0.9, 0.8, 0.7], [0.0, None, 1.0], 0.5, floor=0.6).order
        (2, 1, 0)
        >>> [round(s, 2) for s in fuse([0.9, 0.8, 0.7], [0.0, None, 1.0], 0.5, floor=0.6).scores]
        [0.95, 0.8, 0.65]
    """
    places = [place for place, score in enumerate(judged) if usable(score)]
    if not places:
        return Fused(tuple(range(len(earlier))), tuple(earlier), (None,) * len(earlier))
    normal = _normalised([float(judged[place] or 0.0) for place in places], normalise)
    sums = {place: earlier[place] + weight * score for place, score in zip(places, normal, strict=True)}
    best_first = sorted(places, key=lambda place: -sums[place])

    order = list(range(len(earlier)))
    scores = [float(score) for score in earlier]
    after = scores[places[-1] + 1 :][:1] or ([scores[places[-1]]] if floor is None else [floor])
    level = math.fsum(earlier[place] - sums[place] for place in places) / len(places)
    shift = max(level, after[0] - sums[best_first[-1]])
    for place, candidate in zip(places, best_first, strict=True):
        order[place] = candidate
        # Rounding may put the lowest a hair below what follows.
        scores[place] = max(sums[candidate] + shift, after[0])
    _squeeze(scores, places)
    return Fused(tuple(order), tuple(scores), tuple(sums.get(i) for i in range(len(earlier))))


def _squeeze(scores: list[float], places: list[int]) -> None:
    """Put the scores of the places that are not in `places` between those of their neighbours there."""
    above = max(scores[places[0]], *scores)
    for place in range(places[-1]):
        if place in places:
            above = scores[place]
            continue
        below = next(scores[later] for later in places if later > place)
        scores[place] = min(max(scores[place], below), above)


def _normalised(scores: list[float], how: Normalise) -> list[float]:
    if how == "raw":
        return scores
    low, high = min(scores), max(scores)
    if low == high:
        return [0.0] * len(scores)
    if how == "minmax":
        return [(score - low) / (high - low) for score in scores]
    mean, deviation = math.fsum(scores) / len(scores), spread_of(scores)
    return [(score - mean) / deviation if deviation else 0.0 for score in scores]
