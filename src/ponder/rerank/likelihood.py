"""The `lite` judge of ECRs: how well does what is known of a candidate explain the query?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ponder.models.lite.language import Language
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Kind, PartReasoning, Verdict
from ponder.rerank.briefs import Brief, judge_within

_LONGEST = 96
"""Tokens of a passage that are read: the query's are about 15, and a budget of 1024 should reach 8 pages."""

SCALES: Mapping[Kind, float] = {"image": 0.12, "page": 0.02, "text": 0.02, "video": 0.02}
"""From nats a token to retrieval's scale, by kind of candidate; fitted on dev (docs/log.md)."""

_VERSION = "likelihood-3"


class LikelihoodJudge:
    """Reads stored reasoning only and scores log P(query | reasoning), a mean over the query's tokens.

    Query likelihood (UPR, arXiv:2204.07496) by SmolLM2-135M. Of a picture its likeliest class' definition
    is read, followed by "In other words, NAME is": that cue was worth .04 of hit@1 on half of photos' dev
    (.519 against .475 with the bare definition). Yes/no logits and the likelihood of the name given the
    query, tried on the same queries, stayed below retrieval (docs/log.md).

    Args:
        language: The model.
        scales: By kind of candidate. Scores come on retrieval's scale, so the stage's weight is 1.
    """

    name = "ecr"
    reads: Reads = "ecr"
    weight = 1.0

    def __init__(self, language: Language, scales: Mapping[Kind, float] = SCALES) -> None:
        self._language, self._scales = language, scales

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
        """See `BriefJudge`."""
        # The query's last token is predicted and never read.
        asked = self._language.count(f" {query.text.strip()}") - 1
        prompts = [self._prompt(candidate) for candidate in candidates]
        return [Brief(c, len(prompt) + asked, prompt) for c, prompt in zip(candidates, prompts, strict=True)]

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """See `BriefJudge`."""
        target = self._language.tokens(f" {query.text.strip()}")
        scores = self._language.likelihood([brief.material for brief in briefs], target)
        items = [brief.candidate.row.item for brief in briefs]
        verdicts = tuple(
            Verdict(item.id, self._scales[item.kind] * value / len(target))
            for item, value in zip(items, scores.values, strict=True)
        )
        return Judgement(verdicts, scores.usage)

    def _prompt(self, candidate: Candidate) -> tuple[int, ...]:
        text, cue = evidence(candidate)
        head = self._language.tokens(text)[:_LONGEST]
        return (*head, *self._language.tokens(cue))


def evidence(candidate: Candidate) -> tuple[str, str]:
    """What is read of a candidate, and the words that lead over to the query."""
    part = _best_part(candidate)
    claims = part.facts.get("claims", ())
    if claims:
        told, _, _, name = claims[0]
        return f"{told}.", f" In other words, {name} is"
    if candidate.row.item.kind in ("page", "text"):
        return part.text, "\nQuestion:"
    return f"{part.text}.", " In other words,"


def _best_part(candidate: Candidate) -> PartReasoning:
    parts = candidate.row.reasoning.parts
    for part in parts:
        if part.label == candidate.part:
            return part
    return parts[0] if parts else PartReasoning("", candidate.row.reasoning.text)
