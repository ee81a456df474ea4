"""Where two engines read different prompts: the cause of most disagreements between back ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ponder.models.engine import Engine, Prompt
from ponder.records import Candidate, Content
from ponder.rerank.pointwise import PointwiseJudge

_AROUND = 6


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two prompts differ.

    Attributes:
        place: Number of the token, from 0; -1 where only lengths are known.
        left: What the first side reads there, a few tokens; or its number of tokens.
        right: The same of the second.
        what: "tokens", "pictures" (as many words, another number of picture tokens), or "length".
    """

    place: int
    left: str
    right: str
    what: str

    def __str__(self) -> str:
        if self.what == "length":
            return f"the prompts differ in length: {self.left} and {self.right} tokens"
        if self.what == "pictures":
            return f"the pixel budgets differ: pictures become {self.left} and {self.right} tokens"
        return f"the prompts differ from token {self.place} on: {self.left!r} and {self.right!r}"


def first_difference(
    one: PointwiseJudge, other: PointwiseJudge, query: Content, candidates: Sequence[Candidate]
) -> Difference | None:
    """Where the prompts of two judges about the same candidates differ first; None if they do not.

    An engine that runs elsewhere shows no tokens; then the numbers of tokens that are reported are
    compared, of one candidate.
    """
    pairs = list(zip(one.prompts(query, candidates), other.prompts(query, candidates), strict=False))
    if not pairs:
        return None
    renderers = [getattr(judge.engine, "renderer", None) for judge in (one, other)]
    if any(renderer is None for renderer in renderers):
        lengths = [_length(judge, prompt) for judge, prompt in zip((one, other), pairs[0], strict=True)]
        if lengths[0] == lengths[1]:
            return None
        return Difference(-1, str(lengths[0]), str(lengths[1]), "length")
    for left, right in pairs:
        found = _between(one.engine, other.engine, left, right)
        if found:
            return found
    return None


def _length(judge: PointwiseJudge, prompt: Prompt) -> int:
    """Tokens of a prompt, as they are reported."""
    answers = tuple(getattr(judge.question, "answers", ("yes", "no")))
    [likely] = judge.engine.answer([prompt], answers)
    return likely.usage.read + likely.usage.cached


def _between(one: Engine, other: Engine, left: Prompt, right: Prompt) -> Difference | None:
    sides: list[Any] = [one, other]
    rendered = [side.renderer.render(prompt) for side, prompt in zip(sides, (left, right), strict=True)]
    first, second = (each.ids for each in rendered)
    if first == second:
        return None
    words = [
        [t for t, seen in zip(each.ids, each.seen, strict=True) if not seen] if each.seen else list(each.ids)
        for each in rendered
    ]
    if words[0] == words[1]:
        return Difference(-1, str(sum(rendered[0].seen)), str(sum(rendered[1].seen)), "pictures")
    place = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    texts = [
        str(side.loaded.tokenizer.decode(list(ids[max(0, place - 2) : place + _AROUND])))
        for side, ids in zip(sides, (first, second), strict=True)
    ]
    return Difference(place, texts[0], texts[1], "tokens")
