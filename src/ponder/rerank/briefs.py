"""How the query-aware judges work together: each says what a candidate costs before any is judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ponder.records import Candidate, Content, Judgement, Kind, Verdict


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

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """Judge a beginning of the briefs."""
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


def centred(verdicts: Sequence[Verdict], candidates: Sequence[Candidate]) -> tuple[Verdict, ...]:
    """Scores less the mean of their kind.

    A picture's score and a page's have different zeros. Among candidates of one kind this changes no
    order; between kinds it leaves retrieval's word standing, but for what sets a candidate off from the
    others of its kind.
    """
    kinds: dict[str, Kind] = {c.row.item.id: c.row.item.kind for c in candidates}
    scores: dict[Kind, list[float]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.score is not None:
            scores[kinds[verdict.id]].append(verdict.score)
    means = {kind: sum(values) / len(values) for kind, values in scores.items()}
    return tuple(
        verdict if verdict.score is None else replace(verdict, score=verdict.score - means[kinds[verdict.id]])
        for verdict in verdicts
    )
