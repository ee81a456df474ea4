"""A tournament of groups of k: the winner of each goes on, and who won most leads.

As set-wise prompting does (arXiv:2310.09497): one reading compares k candidates at the price of reading
them once, and only the top of the ranking is sorted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ponder.models.engine import Engine, Likely
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.hearing import any_heard, fault
from ponder.rerank.listwise import LETTERS, ListwiseJudge
from ponder.rerank.showing import Showing, unjudged

_VERSION = 1


class TournamentJudge(ListwiseJudge):
    """Plays rounds of groups of k until one is left or the tokens are.

    A candidate's score is the number of rounds it has won, plus its probability in the round that it lost:
    it is above all that went out earlier. Who was not reached keeps its place.

    Args:
        name: As in ``--stages``.
        engine: Who is asked; each letter must be one token.
        showing: What is shown of a candidate.
        weight: Of the score in fusion.
        group: Candidates of one reading.
    """

    def __init__(
        self, name: str, engine: Engine, showing: Showing, *, weight: float = 1.0, group: int = 4
    ) -> None:
        super().__init__(name, engine, showing, weight=weight, window=group)

    @property
    def fingerprint(self) -> str:
        """Engine, wording, groups, and what is shown."""
        return f"{super().fingerprint}/tournament-{_VERSION}"

    def _bound(self, bare: int, own: Sequence[int]) -> int:
        total, playing = 0, len(own)
        while playing > 1:
            groups = math.ceil(playing / self._window)
            total, playing = total + groups * bare + sum(own[:playing]), groups
        return total

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`.

        Raises:
            BackendFailed: The engine answered about no group.
        """
        asked = self._showing.query(query)
        if asked.missing:
            return unjudged(candidates, asked.missing)
        shown = [self._showing.candidate(candidate) for candidate in candidates]
        scores: dict[int, float] = {}
        notes = {number: each.missing for number, each in enumerate(shown) if each.missing}
        usage, playing, won = Usage(), [n for n in range(len(shown)) if n not in notes], 0
        heard: list[Likely] = []
        while len(playing) > 1:
            ahead = []
            for start in range(0, len(playing), self._window):
                group = playing[start : start + self._window]
                if len(group) == 1:
                    ahead.append(group[0])
                    continue
                prompt = self._prompt(query, asked, [shown[number] for number in group])
                if usage.spent + self._engine.prices([prompt])[0] > limit:
                    any_heard(heard, self.name)
                    return Judgement(tuple(_verdicts(candidates, scores, notes)), usage)
                [likely] = self._engine.answer([prompt], LETTERS[: len(group)])
                usage += likely.usage
                heard.append(likely)
                if wrong := fault(likely):
                    notes |= dict.fromkeys(group, wrong)
                    for number in group:
                        scores.pop(number, None)
                    continue
                total = math.fsum(map(math.exp, likely.values))
                for number, value in zip(group, likely.values, strict=True):
                    scores[number] = won + math.exp(value) / total
                winner = max(range(len(group)), key=lambda at: (likely.values[at], -at))
                ahead.append(group[winner])
            for number in ahead:
                scores[number] = float(won + 1)
            playing, won = ahead, won + 1
        any_heard(heard, self.name)
        return Judgement(tuple(_verdicts(candidates, scores, notes)), usage)


def _verdicts(
    candidates: Sequence[Candidate], scores: dict[int, float], notes: dict[int, str]
) -> list[Verdict]:
    return [
        Verdict(candidate.row.item.id, scores.get(number), note=notes.get(number, ""))
        for number, candidate in enumerate(candidates)
        if number in scores or number in notes
    ]
