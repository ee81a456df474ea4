"""Another document's reasoning in place of a document's own: does its content matter, or only its bulk?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ponder.errors import InputInvalid
from ponder.records import Reasoning


def derangement(n: int, seed: int) -> list[int]:
    """A permutation of ``range(n)`` without a fixed point: one cycle (Sattolo, 1986).

    Raises:
        InputInvalid: A single thing cannot change its place.

    Example:
        >>> derangement(2, seed=0)
        [1, 0]
    """
    if n == 1:
        raise InputInvalid("one document to shuffle", "--reasoning shuffled", "it takes two")
    order = list(range(n))
    rng = random.Random(seed)
    for last in range(n - 1, 0, -1):
        other = rng.randrange(last)
        order[last], order[other] = order[other], order[last]
    return order


def shuffled(reasonings: Sequence[Reasoning], seed: int) -> list[Reasoning]:
    """Give each document another's reasoning, whole; passages of its own text stay its own.

    Args:
        reasonings: One a document.
        seed: Of the derangement.

    Returns:
        In the documents' order. What is reasoning about the whole and about segments comes from the
        other; parts ``chars=…`` are the document's text itself, no reasoning, and stay.

    Raises:
        InputInvalid: There is only one.
    """
    order = derangement(len(reasonings), seed)
    return [_combine(own, reasonings[other]) for own, other in zip(reasonings, order, strict=True)]


def _combine(own: Reasoning, other: Reasoning) -> Reasoning:
    thought = tuple(part for part in other.parts if not part.label.startswith("chars="))
    text = tuple(part for part in own.parts if part.label.startswith("chars="))
    return replace(other, parts=thought + text)
