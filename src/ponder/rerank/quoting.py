"""The sentences of a text that bear on a query, found by counting words: no model reads anything for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n+")


def sentences(text: str) -> list[str]:
    r"""A text cut at ends of sentences and of lines.

    Example:
        >>> sentences("Rigging: ropes.\nA knot? Two.")
        ['Rigging:', 'ropes.', 'A knot?', 'Two.']
    """
    return [found for part in _SENTENCE.split(text) if (found := part.strip())]


def quoted(
    found: Sequence[str],
    wanted: Mapping[int, float],
    pieces: Callable[[str], Collection[int]],
    length: Callable[[str], int],
    longest: int,
) -> str:
    """The sentences worth most to a query, as many as fit, in their order; "" where none is worth anything.

    Args:
        found: The sentences.
        wanted: The query's word pieces and what each is worth.
        pieces: The word pieces of a sentence.
        length: Its tokens.
        longest: Tokens in all. The best is taken even where it is longer.

    Example:
        >>> letters = lambda text: [ord(letter) for letter in text]
        >>> quoted(["ab", "xy", "bc"], {98: 1.0, 99: 0.5}, letters, len, 4)
        'ab bc'
    """
    worth = []
    for number, sentence in enumerate(found):
        weight = sum(wanted[piece] for piece in wanted.keys() & set(pieces(sentence)))
        if weight > 0:
            worth.append((weight, -number))
    kept: list[int] = []
    used = 0
    for _, negated in sorted(worth, reverse=True):
        cost = length(found[-negated])
        if used + cost <= longest or not kept:
            kept.append(-negated)
            used += cost
    return " ".join(found[number] for number in sorted(kept))
