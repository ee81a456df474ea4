"""Listwise judging by the first token: one reading ranks a window of candidates.

The candidates of a window bear letters, and the log-probabilities of the letters as the next token rank
them: no permutation is generated (FIRST, arXiv:2406.15657). Windows slide from the last candidate to the
first, so that a good one can rise all the way (RankGPT, arXiv:2304.09542).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ponder.models.engine import Engine, Prompt, Turn
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.hearing import any_heard, fault
from ponder.rerank.musing import digest
from ponder.rerank.showing import Showing, Shown, unjudged

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYSTEM = (
    "You are given a Query and Documents, each with a letter. Answer with the letter of the Document that "
    "answers the Query best, and nothing else."
)

_VERSION = 1

# Where two texts meet, a tokenizer may cut otherwise than it cuts each alone.
_SEAM = 2


class ListwiseJudge:
    """Ranks windows of candidates, from the last window to the first, as tokens allow.

    A candidate's score is its place in the final order, from 1 (best) down: log-probabilities of different
    windows cannot be compared. Where the limit does not pay for all windows, the first candidates are
    judged, as many as it pays for.

    Args:
        name: As in ``--stages``.
        engine: Who is asked; each letter must be one token.
        showing: What is shown of a candidate.
        weight: Of the score in fusion.
        window: Candidates of one reading, at most 26.
        step: How far a window slides, at most its whole length, so that none is passed over; half of it
            unless told.
        system: The task.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        showing: Showing,
        *,
        weight: float = 1.0,
        window: int = 8,
        step: int = 0,
        system: str = SYSTEM,
    ) -> None:
        self.name, self.weight = name, weight
        self._engine, self._showing, self._system = engine, showing, system
        self._window = max(2, min(window, len(LETTERS)))
        self._step = min(step, self._window) if step > 0 else self._window // 2

    @property
    def reads(self) -> Reads:
        """As `showing` does."""
        return self._showing.reads

    @property
    def fingerprint(self) -> str:
        """Engine, wording, windows, and what is shown."""
        how = f"listwise-{_VERSION}-{self._window}-{self._step}-{digest(self._system)}"
        return "/".join((self.name, self._engine.fingerprint, how, self._showing.fingerprint))

    def price(self, query: Content, candidates: Sequence[Candidate]) -> int:
        """See `ponder.protocols.PricesJudging`: a bound, since who is compared with whom is not known yet."""
        asked = self._showing.query(query)
        shown = [self._showing.candidate(candidate) for candidate in candidates]
        readable = [] if asked.missing else [each for each in shown if not each.missing]
        if len(readable) < 2:
            return 0
        [bare] = self._engine.prices([self._prompt(query, asked, [])])
        alone = [self._engine.prices([self._prompt(query, asked, [each])])[0] for each in readable]
        return self._bound(bare, sorted((cost - bare + _SEAM for cost in alone), reverse=True))

    def _bound(self, bare: int, own: Sequence[int]) -> int:
        """Tokens of all readings: `bare` of each, and `own` of each candidate, the longest first."""
        readings = len(windows(len(own), self._window, self._step))
        return readings * (bare + sum(own[: self._window]))

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`.

        Raises:
            BackendFailed: The engine answered about no window.
        """
        asked = self._showing.query(query)
        if asked.missing:
            return unjudged(candidates, asked.missing)
        shown = [self._showing.candidate(candidate) for candidate in candidates]
        order = [number for number, each in enumerate(shown) if not each.missing]
        order = order[: self._affordable(query, asked, shown, order, limit)]
        usage, failed, heard = Usage(), "", []
        for start in windows(len(order), self._window, self._step):
            some = order[start : start + self._window]
            prompt = self._prompt(query, asked, [shown[number] for number in some])
            if usage.spent + self._engine.prices([prompt])[0] > limit:
                # Another order shows other cuts: a little more than was reckoned with.
                failed = "no tokens for its last window"
                break
            [likely] = self._engine.answer([prompt], LETTERS[: len(some)])
            usage += likely.usage
            heard.append(likely)
            if wrong := fault(likely):
                failed = wrong
                continue
            ranked = sorted(range(len(some)), key=lambda at: (-likely.values[at], at))
            order[start : start + self._window] = [some[at] for at in ranked]
        any_heard(heard, self.name)
        return Judgement(tuple(self._verdicts(candidates, shown, order, failed, usage)), usage)

    def _verdicts(
        self,
        candidates: Sequence[Candidate],
        shown: Sequence[Shown],
        order: Sequence[int],
        failed: str,
        usage: Usage,
    ) -> list[Verdict]:
        judged = {number: 1.0 - place / max(1, len(order)) for place, number in enumerate(order)}
        found = []
        for number, (candidate, each) in enumerate(zip(candidates, shown, strict=True)):
            id_ = candidate.row.item.id
            if each.missing:
                found.append(Verdict(id_, None, note=each.missing))
            elif number in judged and usage.spent:
                found.append(Verdict(id_, None if failed else judged[number], note=failed))
        return found

    def _affordable(
        self, query: Content, asked: Shown, shown: Sequence[Shown], order: Sequence[int], limit: int
    ) -> int:
        """How many of the first candidates can be ranked; one alone has no rank."""
        for count in range(len(order), 1, -1):
            some = [shown[number] for number in order[:count]]
            cost = sum(
                self._engine.prices([self._prompt(query, asked, some[start : start + self._window])])[0]
                for start in windows(count, self._window, self._step)
            )
            if cost <= limit:
                return count
        return 0

    def _prompt(self, query: Content, asked: Shown, shown: Sequence[Shown]) -> Prompt:
        told = (f"<Instruct>: {query.instruction}\n",) if query.instruction else ()
        parts: list[Any] = [*told, "<Query>:", *asked.parts]
        for letter, each in zip(LETTERS, shown, strict=False):
            parts += [f"\n[{letter}] ", *each.parts]
        return Prompt((Turn("system", (self._system,)), Turn("user", tuple(parts))))


def windows(count: int, window: int, step: int) -> list[int]:
    """Where windows over `count` candidates start, the last first.

    Example:
        >>> windows(10, 4, 2), windows(3, 4, 2), windows(1, 4, 2)
        ([6, 4, 2, 0], [0], [])
    """
    if count < 2:
        return []
    starts = [max(0, count - window)]
    while starts[-1]:
        starts.append(max(0, starts[-1] - step))
    return starts
