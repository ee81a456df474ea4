"""What prompts share: a tree of stretches of tokens, each of which has to be computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from ponder.models.local.rendering import Rendered

Tokens = tuple[int, ...]


class Stretch:
    """Tokens that follow one another and that the same prompts have.

    Attributes:
        tokens: As `identities` gives them.
        start: Place of the first one in every prompt that has it.
        nexts: What follows, by first token.
        users: How many prompts still need it.
        state: What the model made of it, once it did and while it has users.
    """

    __slots__ = ("nexts", "start", "state", "tokens", "users")

    def __init__(self, tokens: Tokens, start: int) -> None:
        self.tokens, self.start = tokens, start
        self.nexts: dict[int, Stretch] = {}
        self.users = 0
        self.state: Any = None

    @property
    def stop(self) -> int:
        """Place behind its last token."""
        return self.start + len(self.tokens)


def chains(prompts: Sequence[Tokens]) -> list[list[Stretch]]:
    """The stretches of each prompt, from its beginning to its end.

    Example:
        >>> a, b = chains([(1, 2, 3, 4), (1, 2, 5)])
        >>> [each.tokens for each in a], [each.tokens for each in b], a[0] is b[0]
        ([(1, 2), (3, 4)], [(1, 2), (5,)], True)
    """
    root = Stretch((), 0)
    for prompt in prompts:
        _grow(root, prompt)
    found = []
    for prompt in prompts:
        at, chain, place = root, [], 0
        while place < len(prompt):
            at = at.nexts[prompt[place]]
            at.users += 1
            chain.append(at)
            place = at.stop
        found.append(chain)
    return found


def identities(rendered: Rendered, known: dict[bytes, int]) -> Tokens:
    """Token ids in which those of a picture are told apart by what it shows.

    Prompts are alike only as far as these are: placeholders are the same for every picture. All pictures
    count as one from the first one's start where it is not known which tokens belong to which.

    Args:
        rendered: The prompt.
        known: Numbers of the pictures met so far; new ones are added.
    """
    if not rendered.pictures:
        return rendered.ids
    ids = list(rendered.ids)
    last = max(i for i, seen in enumerate(rendered.seen) if seen) + 1
    starts = sorted(set(rendered.starts))
    together = len(starts) < len(rendered.pictures)
    for number, start in enumerate(starts):
        shown = rendered.pictures if together else rendered.pictures[number : number + 1]
        name = b"".join(repr(each.size).encode() + each.tobytes() for each in shown)
        mark = -1 - known.setdefault(hashlib.sha256(name).digest(), len(known))
        stop = starts[number + 1] if number + 1 < len(starts) else last
        for place in range(start, stop):
            if together or rendered.seen[place]:
                # Negative, apart from all ids; the id itself stays in it for marks between tiles.
                ids[place] = mark
    return tuple(ids)


def _grow(root: Stretch, prompt: Tokens) -> None:
    """Add a prompt, and split a stretch where it leaves it."""
    at, place = root, 0
    while place < len(prompt):
        found = at.nexts.get(prompt[place])
        if found is None:
            at.nexts[prompt[place]] = Stretch(prompt[place:], place)
            return
        same = _common(found.tokens, prompt, place)
        if same < len(found.tokens):
            upper = Stretch(found.tokens[:same], place)
            found.tokens, found.start = found.tokens[same:], place + same
            upper.nexts[found.tokens[0]] = found
            at.nexts[prompt[place]] = upper
            found = upper
        at, place = found, place + same


def _common(tokens: Tokens, prompt: Tokens, place: int) -> int:
    for number, token in enumerate(tokens):
        if place + number == len(prompt) or prompt[place + number] != token:
            return number
    return len(tokens)
