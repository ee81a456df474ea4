"""Query-aware reasoning about pictures: with the query in view, is the candidate's name the answer?"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from math import exp, log

from ponder.models.lite.language import Language
from ponder.models.lite.naming import prompt_for
from ponder.models.lite.prompt import Prompt
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.briefs import Brief, judge_within
from ponder.rerank.likelihood import trust

_PRIOR = 0.6

_SWING = 3.1
"""Nats: how far the scores of a query's first 20 candidates lie apart, on half of photos' dev."""

_OF_NAMES = 1 / 3
"""How much the score counts for a query that is a name already, of what it counts for one that describes: in
full it wins nothing on stamps' captions, so they gain 2 of 136 first hits (docs/log.md)."""

Things = list[tuple[str, float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A query's question, and what was answered to it so far: log-probabilities of names."""

    prompt: Prompt
    said: dict[str, float] = field(default_factory=dict)


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
        self._kept: dict[str, _Asked] | None = None

    def judge(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `ponder.protocols.Reranker.rerank`; candidates that nothing is known of get no score."""
        return judge_within(self, query, candidates, limit)

    def briefs(self, query: Content, candidates: Sequence[Candidate]) -> list[Brief]:
        """See `BriefJudge`. A name that came up before is not read again; its last token never is."""
        asked = self._asked(query)
        found: list[Brief] = []
        names = set(asked.said)
        shared = asked.prompt.price
        for candidate in candidates:
            things = _things(candidate)
            new = {name for name, _, _ in things} - names
            cost = sum(self._language.count(f" {name}") - 1 for name in new)
            if new:
                cost, shared = cost + shared, 0
            names |= new
            found.append(Brief(candidate, cost, things))
        return found

    def swing(self, query: Content, candidate: Candidate) -> float:
        """See `ponder.protocols.JudgesApart`."""
        return _SWING * self._scale_for(query)

    def sitting(self) -> NamingJudge:
        """See `BriefJudge`: the question stays read, and the names that were scored need no more tokens."""
        other = copy(self)
        other._kept = {}
        return other

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """See `BriefJudge`."""
        names = list(dict.fromkeys(name for brief in briefs for name, _, _ in brief.material))
        if not names:
            return Judgement(tuple(_silent(brief.candidate) for brief in briefs))
        asked = self._asked(query)
        usage = Usage()
        if new := [name for name in names if name not in asked.said]:
            scores = self._language.score(asked.prompt, [f" {name}" for name in new])
            asked.said.update(zip(new, scores.values, strict=True))
            usage = scores.usage
        scale = self._scale_for(query)
        verdicts = tuple(_verdict(brief.candidate, brief.material, asked.said, scale) for brief in briefs)
        return Judgement(verdicts, usage)

    def _asked(self, query: Content) -> _Asked:
        """The question about a query: a sitting judge's own, or a new one."""
        kept = {} if self._kept is None else self._kept
        if query.text not in kept:
            kept[query.text] = _Asked(prompt_for(self._language, query.text))
        return kept[query.text]

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
    reasoning = f"Asked to name it, the model says {name!r} {_readily(said[name] - prior)} unasked."
    return Verdict(candidate.row.item.id, scale * total, reasoning)


def _readily(gain: float) -> str:
    """How much likelier a name has become, or less likely, in words; two digits of it mean something.

    Example:
        >>> _readily(5.4), _readily(0.5), _readily(-6.6)
        ('220 times as readily as', '1.6 times as readily as', '740 times less readily than')
    """
    times = float(f"{exp(min(abs(gain), 20.0)):.2g}")
    return (
        f"{times:,.{0 if times >= 10 else 1}f} times {'as readily as' if gain >= 0 else 'less readily than'}"
    )


def _things(candidate: Candidate) -> Things:
    parts = candidate.row.reasoning.parts
    things = parts[0].facts.get("things", ()) if parts else ()
    return [(str(name), float(weight), float(prior)) for name, weight, prior in things]


def _silent(candidate: Candidate) -> Verdict:
    return Verdict(candidate.row.item.id, None, note="nothing to name")
