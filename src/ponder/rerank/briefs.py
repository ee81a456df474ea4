"""How the query-aware judges work together: each says what a candidate costs before any is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ponder.records import Candidate, Content, Judgement


@dataclass(frozen=True, slots=True)
class Brief:
    """A candidate made ready for judging.

    Attributes:
        candidate: Who is judged.
        cost: Tokens read and written for it; the first of a query's briefs bears what all share.
        material: What its judge will look at.
    """

    candidate: Candidate
    cost: int
    material: Any


class BriefJudge(Protocol):
    """Judges candidates of some kinds."""

    def briefs(self, query: Content, candidates: Sequence[Candidate]) -> list[Brief]:
        """One a candidate, in order. Any beginning of them costs the sum of its costs, exactly."""
        ...

    def swing(self, query: Content, candidate: Candidate) -> float:
        """See `ponder.protocols.JudgesApart`."""
        ...

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """Judge a beginning of the briefs."""
        ...

    def sitting(self) -> BriefJudge:
        """See `ponder.protocols.Sits`; itself, where nothing of a query is kept."""
        ...


def judge_within(judge: BriefJudge, query: Content, candidates: Sequence[Candidate], limit: int) -> Judgement:
    """Judge the first candidates, as many as `limit` tokens pay for."""
    return judge.decide(query, affordable(judge.briefs(query, candidates), limit))


def affordable(briefs: Sequence[Brief], limit: int) -> list[Brief]:
    """The longest beginning whose costs do not exceed `limit`."""
    taken: list[Brief] = []
    spent = 0
    for brief in briefs:
        spent += brief.cost
        if spent > limit:
            break
        taken.append(brief)
    return taken
