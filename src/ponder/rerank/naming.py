"""Query-aware reasoning about pictures: with the query in view, is the candidate's name the answer?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from ponder.models.lite.language import Language
from ponder.models.lite.naming import question
from ponder.records import Candidate, Content, Judgement, Verdict
from ponder.rerank.briefs import Brief, judge_within
from ponder.rerank.likelihood import trust

_PRIOR = 0.6

_SWING = 3.1
"""Nats: how far the scores of a query's first 20 candidates lie apart, on half of photos' dev."""

_OF_NAMES = 1 / 3
"""How much the score counts for a query that is a name already, of what it counts for one that describes: in
full it wins nothing on stamps' captions, so they gain 2 of 136 first hits (docs/log.md)."""

Things = list[tuple[str, float, float]]


class NamingJudge:
    """Asks the model to name what is sought, and scores each candidate's names as the answer.

    log P(name | query) - .6 log P(name): the query is read once, behind two examples of what is asked, and of
    each candidate only its few name tokens, so that even 64 tokens judge several. The prior, stored with the
    document, takes back most of what short and common names gain by being so. The names of a picture in doubt
    are weighed by their probability. The examples are what the judge lives on: over photos' first 20 its word
    alone found .34 with them, .20 without (docs/log.md, 2026-11-26).

    Args:
        language: The model.
        scale: From the score, in nats, to retrieval's scale, for a query that describes what it seeks.
    """

    def __init__(self, language: Language, scale: float = 0.018) -> None:
        self._language, self._scale = language, scale

    def judge(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `ponder.protocols.Reranker.rerank`; candidates that nothing is known of get no score."""
        return judge_within(self, query, candidates, limit)

    def briefs(self, query: Content, candidates: Sequence[Candidate]) -> list[Brief]:
        """See `BriefJudge`. A name that came up before is not read again; its last token never is."""
        found: list[Brief] = []
        names: set[str] = set()
        shared = self._language.count(question(query.text))
        for candidate in candidates:
            things = _things(candidate)
            new = {name for name, _, _ in things} - names
            cost = sum(self._language.count(f" {name}") - 1 for name in new)
            if things and not names:
                cost += shared
            names |= new
            found.append(Brief(candidate, cost, things))
        return found

    def swing(self, query: Content, candidate: Candidate) -> float:
        """See `ponder.protocols.JudgesApart`."""
        return _SWING * self._scale_for(query)

    def sitting(self) -> NamingJudge:
        """See `BriefJudge`: what candidates share is not kept."""
        return self

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """See `BriefJudge`."""
        names = list(dict.fromkeys(name for brief in briefs for name, _, _ in brief.material))
        if not names:
            return Judgement(tuple(_silent(brief.candidate) for brief in briefs))
        scores = self._language.score(question(query.text), [f" {name}" for name in names])
        said = dict(zip(names, scores.values, strict=True))
        scale = self._scale_for(query)
        verdicts = tuple(_verdict(brief.candidate, brief.material, said, scale) for brief in briefs)
        return Judgement(verdicts, scores.usage)

    def _scale_for(self, query: Content) -> float:
        describes = trust(self._language.count(f" {query.text.strip()}"))
        return self._scale * (_OF_NAMES + (1 - _OF_NAMES) * describes)


def _verdict(candidate: Candidate, things: Things, said: dict[str, float], scale: float) -> Verdict:
    if not things:
        return _silent(candidate)
    gains = [said[name] - _PRIOR * prior for name, _, prior in things]
    top = max(gains)
    weights = [weight for _, weight, _ in things]
    total = top + log(sum(w * exp(gain - top) for w, gain in zip(weights, gains, strict=True)))
    name, _, prior = things[gains.index(top)]
    readily = exp(min(said[name] - prior, 20.0))
    reasoning = f"Asked to name it, the model says {name!r} {readily:.2g} times as readily as unasked."
    return Verdict(candidate.row.item.id, scale * total, reasoning)


def _things(candidate: Candidate) -> Things:
    parts = candidate.row.reasoning.parts
    things = parts[0].facts.get("things", ()) if parts else ()
    return [(str(name), float(weight), float(prior)) for name, weight, prior in things]


def _silent(candidate: Candidate) -> Verdict:
    return Verdict(candidate.row.item.id, None, note="nothing to name")
