"""Query-aware reasoning: an engine writes about query and candidate before a judge decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ponder.models.engine import Effort, Engine, Prompt, Turn
from ponder.records import Usage
from ponder.rerank.showing import Shown

LEAST = 24
"""Tokens below which a thought is not begun: a sentence needs some 20."""

_SYSTEM = (
    "You are given a Query and one Document that may answer it. In two or three sentences, say what in the "
    "Document bears on the Query, and what the Query asks for that the Document lacks. Give no verdict."
)
_VERSION = 2


@dataclass(frozen=True, slots=True)
class Thought:
    """What was written about one candidate.

    Attributes:
        text: For the judge to read.
        note: Why there is none, or that it was cut.
    """

    text: str = ""
    note: str = ""


class Musing:
    """Writes about candidates with the query in view.

    Args:
        engine: Who writes; need not be who judges.
        effort: How much about each candidate, at most; less where the limit is tight.
        keep: What the judge reads: the final text, or the trace (Rank1).
        least: With fewer tokens for each candidate than this, nothing is written.
        system: What is asked for.
    """

    def __init__(
        self,
        engine: Engine,
        effort: Effort,
        *,
        keep: Literal["text", "trace"] = "text",
        least: int = LEAST,
        system: str = _SYSTEM,
    ) -> None:
        self._engine, self.effort, self._keep, self._system = engine, effort, keep, system
        self.least = min(least, effort.total)

    @property
    def fingerprint(self) -> str:
        """Engine, wording and effort."""
        told = f"{self._keep}-{self.least}-{_VERSION}-{digest(self._system)}"
        return f"{self._engine.fingerprint}/{self.effort}-{told}"

    def prices(self, query: Shown, instruction: str, shown: Sequence[Shown]) -> list[int]:
        """Tokens that reading each candidate takes, before anything is written."""
        return self._engine.prices([self._prompt(query, instruction, each) for each in shown])

    def think(
        self, query: Shown, instruction: str, shown: Sequence[Shown], tokens: int
    ) -> tuple[list[Thought], Usage]:
        """A thought about each candidate, of at most `tokens` tokens, and what they cost together."""
        prompts = [self._prompt(query, instruction, each) for each in shown]
        written = self._engine.write(prompts, self.effort.within(tokens))
        usage = sum((each.usage for each in written), Usage())
        thoughts = []
        for each in written:
            text = each.trace if self._keep == "trace" else each.text
            note = f"no thought: {each.error}" if each.error else each.cut and f"cut: {each.cut}"
            thoughts.append(Thought(text.strip(), note))
        return thoughts, usage

    def _prompt(self, query: Shown, instruction: str, shown: Shown) -> Prompt:
        asked = (f"<Instruct>: {instruction}\n",) if instruction else ()
        user = (*asked, "<Query>:", *query.parts, "\n<Document>:", *shown.parts)
        return Prompt((Turn("system", (self._system,)), Turn("user", user)))


def fitted(engine: Engine, thoughts: Sequence[Thought], tokens: int) -> list[Thought]:
    """The thoughts, each cut to what `engine` reads as at most `tokens` tokens.

    Another model may have written them, and what is decoded and encoded again may be longer.
    """
    kept = []
    bare = engine.prices([_alone("")])[0]
    for thought in thoughts:
        words = thought.text.split()
        while words and engine.prices([_alone(" ".join(words))])[0] - bare > tokens:
            words = words[: len(words) * 3 // 4]
        text = " ".join(words)
        short = len(words) < len(thought.text.split())
        kept.append(Thought(thought.text if not short else text, "thought cut" if short else thought.note))
    return kept


def most(cost: Callable[[int], int], limit: int, top: int) -> int:
    """The largest number from 0 to `top` whose cost, which never falls, is within `limit`; -1 for none.

    Example:
        >>> most(lambda n: 10 + 3 * n, 40, 100), most(lambda n: 10 + 3 * n, 5, 100)
        (10, -1)
    """
    low, high = -1, top
    while low < high:
        middle = (low + high + 1) // 2
        if cost(middle) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def digest(text: str) -> str:
    """A short hash of a wording, for fingerprints."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _alone(text: str) -> Prompt:
    return Prompt((Turn("user", (text,)),))
