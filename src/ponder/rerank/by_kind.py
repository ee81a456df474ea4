"""A stage of `lite`: each kind of candidate is judged in its own way, within one limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy

from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Kind, Verdict
from ponder.rerank.briefs import Brief, BriefJudge
from ponder.rerank.events import EventsJudge, applies

_VERSION = "by-kind-5"

_LONGEST = 6000
"""Bytes of a query, which has no more tokens than bytes: with what is read of a candidate it then fits the
judges' context of 8192 tokens."""


class JudgeByKind:
    """Pictures, pages and texts go to the judge of their kind; clips, when something happens, to `events`.

    Scores come on retrieval's scale, so the stage's weight is 1.

    Args:
        name: The stage's.
        fingerprint: Of the models behind the judges.
        judges: By kind; kinds left out are not judged.
        events: For clips that a query tells something of; other clips go to the judge of their kind.
    """

    reads: Reads = "ecr"
    weight = 1.0

    def __init__(
        self, name: str, fingerprint: str, judges: Mapping[Kind, BriefJudge], events: EventsJudge
    ) -> None:
        self.name = name
        self.fingerprint = f"{fingerprint}/{name}/{_VERSION}"
        self._judges, self._events = judges, events

    def sitting(self) -> JudgeByKind:
        """See `ponder.protocols.Sits`."""
        other = copy(self)
        sitting = {id(judge): judge.sitting() for judge in self._judges.values()}
        other._judges = {kind: sitting[id(judge)] for kind, judge in self._judges.items()}
        other._events = self._events.sitting()
        return other

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`. A query without words has nothing to be judged by."""
        if why := _unfit(query):
            return Judgement(tuple(_unjudged(c, why) for c in candidates))
        clips = [c for c in candidates if applies(query, c)]
        if len(clips) == len(candidates):
            return self._events.judge(query, candidates, limit=limit)
        briefs = self._briefs(query, [c for c in candidates if not applies(query, c)])
        # The longest beginning that can be paid for whole: who stands higher is judged first.
        for count in range(len(candidates), 0, -1):
            judged = self._judged(query, candidates[:count], briefs, limit)
            if judged is not None:
                return judged
        return Judgement(())

    def price(self, query: Content, candidates: Sequence[Candidate]) -> int | None:
        """See `ponder.protocols.PricesJudging`. What is written about a clip is known when it is written."""
        if _unfit(query):
            return 0
        if any(applies(query, candidate) for candidate in candidates):
            return None
        return sum(brief.cost for brief in self._briefs(query, candidates).values())

    def swing(self, query: Content, candidate: Candidate) -> float | None:
        """See `ponder.protocols.JudgesApart`."""
        if applies(query, candidate):
            return self._events.swing(query, candidate)
        judge = self._judges.get(candidate.row.item.kind)
        return math.inf if judge is None or _unfit(query) else judge.swing(query, candidate)

    def _briefs(self, query: Content, candidates: Sequence[Candidate]) -> dict[str, Brief]:
        found = {c.row.item.id: Brief(c, 0, None) for c in candidates}
        for judge in dict.fromkeys(self._judges.values()):
            theirs = [c for c in candidates if self._judges.get(c.row.item.kind) is judge]
            found |= {brief.candidate.row.item.id: brief for brief in judge.briefs(query, theirs)}
        return found

    def _judged(
        self, query: Content, candidates: Sequence[Candidate], briefs: Mapping[str, Brief], limit: int
    ) -> Judgement | None:
        """The judgement of all of these, or None if the limit does not suffice."""
        mine = [briefs[c.row.item.id] for c in candidates if c.row.item.id in briefs]
        left = limit - sum(brief.cost for brief in mine)
        clips = [c for c in candidates if c.row.item.id not in briefs]
        if left < 0:
            return None
        told = self._events.judge(query, clips, limit=left)
        if len(told.verdicts) < len(clips):
            return None
        verdicts = {verdict.id: verdict for verdict in told.verdicts}
        usage = told.usage
        for judge in dict.fromkeys(self._judges.values()):
            theirs = [b for b in mine if self._judges.get(b.candidate.row.item.kind) is judge]
            if theirs:
                judged = judge.decide(query, theirs)
                usage += judged.usage
                verdicts |= {verdict.id: verdict for verdict in judged.verdicts}
        return Judgement(
            tuple(verdicts.get(c.row.item.id) or _unjudged(c, "no judge for its kind") for c in candidates),
            usage,
        )


def _unfit(query: Content) -> str:
    """Why no candidate can be judged, "" if they can be."""
    if not query.text.strip():
        return "the query has no words"
    return f"the query is longer than {_LONGEST} bytes" if len(query.text.encode()) > _LONGEST else ""


def _unjudged(candidate: Candidate, why: str) -> Verdict:
    return Verdict(candidate.row.item.id, None, note=why)
