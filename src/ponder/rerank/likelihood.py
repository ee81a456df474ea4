"""The `lite` judge of ECRs: how well does what is known of a candidate explain the query?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

from ponder.models.lite.language import Language
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Kind, Verdict
from ponder.rerank.briefs import Brief, judge_within
from ponder.rerank.showing import best_part

_LONGEST = 96
"""Tokens of a passage that are read: the query's are about 15, and a budget of 1024 should reach 8 pages."""

SCALES: Mapping[Kind, float] = {"image": 0.18, "page": 0.02, "text": 0.02, "video": 0.02}
"""From nats a token to retrieval's scale, by kind of candidate; fitted on dev (docs/log.md)."""

_TOO_SHORT, _LONG_ENOUGH = 6, 10
"""Tokens of a query: up to the first a picture's definition is not asked, from the second on it counts in
full. Three tokens' mean is noise, and a name alone is what retrieval is good at: of stamps' captions of up
to 8 tokens (113) the judge lost 4 of 27 first hits, of photos' (33) it won and lost none (docs/log.md)."""

_SWINGS: Mapping[Kind, float] = {"image": 0.5, "page": 0.5, "text": 0.5, "video": 0.5}
"""Nats a token: how far the likelihoods of a query's candidates may lie apart; reckoned. Of photos' first 20
it is .34, but with that an adaptive search stops too early (hit@1 .541 for .556 at 1024)."""

_VERSION = "likelihood-5"

_Said = dict[tuple[int, ...], float]
"""Log-likelihoods of a query, by the tokens in front of it."""


class LikelihoodJudge:
    """Reads stored reasoning only and scores log P(query | reasoning), a mean over the query's tokens.

    Query likelihood (UPR, arXiv:2204.07496) by SmolLM2-135M. Of a picture its likeliest class' definition
    is read, followed by "In other words, NAME is": that cue was worth .04 of hit@1 on half of photos' dev
    (.519 against .475 with the bare definition). Yes/no logits and the likelihood of the name given the
    query, tried on the same queries, stayed below retrieval (docs/log.md).

    What two candidates have in common to the last token, such as the definition of one class, is read once.

    Pictures are not judged by short queries, which are names of what is sought; see `trust`.

    Args:
        language: The model.
        scales: By kind of candidate. Scores come on retrieval's scale, so the stage's weight is 1.
    """

    name = "ecr"
    reads: Reads = "ecr"
    weight = 1.0

    def __init__(self, language: Language, scales: Mapping[Kind, float] = SCALES) -> None:
        self._language, self._scales = language, scales
        self._kept: dict[str, _Said] | None = None

    @property
    def fingerprint(self) -> str:
        """Model, prompt and cut."""
        return f"{self._language.fingerprint}/{_VERSION}"

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`. A query without words has nothing to be explained."""
        if not query.text.strip():
            return Judgement(
                tuple(Verdict(c.row.item.id, None, note="the query has no words") for c in candidates)
            )
        return judge_within(self, query, candidates, limit)

    def briefs(self, query: Content, candidates: Sequence[Candidate]) -> list[Brief]:
        """See `BriefJudge`. A prompt that came up before is not read again."""
        # The query's last token is predicted and never read.
        asked = self._language.count(f" {query.text.strip()}") - 1
        known = set(self._said(query))
        found: list[Brief] = []
        for candidate in candidates:
            if candidate.row.item.kind == "image" and not trust(asked + 1):
                found.append(Brief(candidate, 0, None))
                continue
            prompt = self._prompt(candidate)
            found.append(Brief(candidate, 0 if prompt in known else len(prompt) + asked, prompt))
            known.add(prompt)
        return found

    def swing(self, query: Content, candidate: Candidate) -> float:
        """See `ponder.protocols.JudgesApart`."""
        kind = candidate.row.item.kind
        swing = _SWINGS[kind] * self._scales[kind]
        return swing * trust(self._language.count(f" {query.text.strip()}")) if kind == "image" else swing

    def sitting(self) -> LikelihoodJudge:
        """See `BriefJudge`: prompts that were read stay read."""
        other = copy(self)
        other._kept = {}
        return other

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """See `BriefJudge`."""
        target = self._language.tokens(f" {query.text.strip()}")
        said = self._said(query)
        prompts = dict.fromkeys(brief.material for brief in briefs if brief.material is not None)
        new = [prompt for prompt in prompts if prompt not in said]
        scores = self._language.likelihood(new, target)
        said.update(zip(new, scores.values, strict=True))
        verdicts = tuple(self._verdict(brief, said, len(target)) for brief in briefs)
        return Judgement(verdicts, scores.usage)

    def _said(self, query: Content) -> _Said:
        """What was found for a query: a sitting judge's own, or nothing yet."""
        return {} if self._kept is None else self._kept.setdefault(query.text, {})

    def _verdict(self, brief: Brief, said: _Said, length: int) -> Verdict:
        item = brief.candidate.row.item
        if brief.material is None:
            return Verdict(item.id, None, note="so short a query is not judged by definitions")
        scale = self._scales[item.kind]
        if item.kind == "image":
            scale *= trust(length)
        return Verdict(item.id, scale * said[brief.material] / length)

    def _prompt(self, candidate: Candidate) -> tuple[int, ...]:
        text, cue = evidence(candidate)
        head = self._language.tokens(text)[:_LONGEST]
        return (*head, *self._language.tokens(cue))


def trust(tokens: int) -> float:
    """How far a definition's word on a query of this many tokens counts, 0 to 1.

    Example:
        >>> [trust(tokens) for tokens in (3, 6, 8, 10, 30)]
        [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    return min(1.0, max(0.0, (tokens - _TOO_SHORT) / (_LONG_ENOUGH - _TOO_SHORT)))


def evidence(candidate: Candidate) -> tuple[str, str]:
    """What is read of a candidate, and the words that lead over to the query."""
    part = best_part(candidate)
    claims = part.facts.get("claims", ())
    if claims:
        told, _, _, name = claims[0]
        return f"{told}.", f" In other words, {name} is"
    if candidate.row.item.kind in ("page", "text"):
        return part.text, "\nQuestion:"
    return f"{part.text}.", " In other words,"
