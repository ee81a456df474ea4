"""Where two sides read something else: the cause of most disagreements between back ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ponder.models.engine import Prompt, Reading
from ponder.models.remote.talk import bound
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
    if any(getattr(judge.engine, "renderer", None) is None for judge in (one, other)):
        lengths = [_length(judge, prompt) for judge, prompt in zip((one, other), pairs[0], strict=True)]
        if None in lengths or lengths[0] == lengths[1]:
            return None
        return Difference(-1, str(lengths[0]), str(lengths[1]), "length")
    for left, right in pairs:
        found = between(_reading(one.engine, left), _reading(other.engine, right))
        if found:
            return found
    return None


def between(left: Reading, right: Reading) -> Difference | None:
    """Where two readings differ first; None if they do not."""
    if left.ids == right.ids:
        return None
    words = [
        [token for number, token in enumerate(each.ids) if not (each.seen and each.seen[number])]
        for each in (left, right)
    ]
    if words[0] == words[1]:
        return Difference(-1, str(sum(left.seen)), str(sum(right.seen)), "pictures")
    place = next(
        (i for i, (a, b) in enumerate(zip(left.ids, right.ids, strict=False)) if a != b),
        min(len(left.ids), len(right.ids)),
    )
    texts = [each.decode(list(each.ids[max(0, place - 2) : place + _AROUND])) for each in (left, right)]
    return Difference(place, texts[0], texts[1], "tokens")


def _reading(engine: Any, prompt: Prompt) -> Reading:
    rendered = engine.renderer.render(prompt)
    return Reading(tuple(rendered.ids), tuple(rendered.seen), engine.loaded.tokenizer.decode)


def _length(judge: PointwiseJudge, prompt: Prompt) -> int | None:
    """Tokens of a prompt, as they are reported; None where a server reports none."""
    answers = tuple(getattr(judge.question, "answers", ("yes", "no")))
    [likely] = judge.engine.answer([prompt], answers)
    count = likely.usage.read + likely.usage.cached
    # A remote engine reckons with a bound where its server does not count.
    return None if count in (bound(prompt), bound(prompt, asked=True)) else count
