"""Query-aware reasoning about pages and texts: the lines that bear on the query are quoted and judged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ponder.models.lite.language import Language
from ponder.models.lite.text_encoder import TextEncoder, rarity
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.briefs import Brief, judge_within

_LONGEST = 48
"""Tokens of evidence: two or three sentences."""

_SWING = 0.5
"""Nats a token: how far the likelihoods behind a query's quotations lie apart, reckoned, not measured."""

_CUE = "\nQuestion:"
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n+")


class EvidenceJudge:
    """Rereads the whole page for what the query asks, quotes it, and judges the quotation.

    Sentences are weighed by the query's rare word pieces in them, over all of the page and not only over
    the passage that retrieval found; the best are quoted, in their order, and the query's likelihood is
    taken behind the quotation. Choosing is counting of words, no model; the quotation is written, then
    read with the query, and both count. Documents' ndcg@5 over the best five pages: .613 from .595.

    Args:
        language: Judges.
        encoder: Its vocabulary says which words are rare.
        scale: From nats a token to retrieval's scale.
    """

    def __init__(self, language: Language, encoder: TextEncoder, scale: float = 0.05) -> None:
        self._language, self._encoder, self._scale = language, encoder, scale

    def judge(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `ponder.protocols.Reranker.rerank`; a text that shares no rare word gets no score."""
        return judge_within(self, query, candidates, limit)

    def briefs(self, query: Content, candidates: Sequence[Candidate]) -> list[Brief]:
        """See `BriefJudge`: a quotation is written, then read with the query behind it."""
        # The query's last token is predicted and never read.
        asked = self._language.count(f" {query.text.strip()}") - 1
        pieces = sorted(set(self._encoder.pieces(query.text)))
        wanted = dict(zip(pieces, (rarity(pieces) ** 2).tolist(), strict=True))
        found = []
        for candidate in candidates:
            quote = self._quote(candidate, wanted)
            count = self._language.count
            cost = count(f"{quote}{_CUE}") + asked + count(quote) if quote else 0
            found.append(Brief(candidate, cost, quote))
        return found

    def swing(self, query: Content, candidate: Candidate) -> float:
        """See `ponder.protocols.JudgesApart`."""
        return _SWING * self._scale

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """See `BriefJudge`."""
        target = self._language.tokens(f" {query.text.strip()}")
        quotes = [brief.material for brief in briefs if brief.material]
        scores = self._language.likelihood([f"{quote}{_CUE}" for quote in quotes], target)
        values = iter(scores.values)
        verdicts = [
            Verdict(
                brief.candidate.row.item.id,
                self._scale * next(values) / len(target),
                f"It says: {brief.material}",
            )
            if brief.material
            else Verdict(brief.candidate.row.item.id, None, note="nothing on it bears on the query")
            for brief in briefs
        ]
        written = sum(self._language.count(quote) for quote in quotes)
        return Judgement(tuple(verdicts), Usage(scores.usage.read, written))

    def _quote(self, candidate: Candidate, wanted: dict[int, float]) -> str:
        passages = [p.text for p in candidate.row.reasoning.parts if p.label.startswith("chars=")]
        sentences = [s.strip() for s in _SENTENCE.split("\n".join(passages)) if s.strip()]
        worth = []
        for number, sentence in enumerate(sentences):
            pieces = set(self._encoder.pieces(sentence))
            weight = sum(wanted[piece] for piece in pieces & wanted.keys())
            if weight > 0:
                worth.append((weight, -number))
        kept: list[int] = []
        length = 0
        for _, negated in sorted(worth, reverse=True):
            cost = self._language.count(sentences[-negated])
            if length + cost <= _LONGEST or not kept:
                kept.append(-negated)
                length += cost
        text = " ".join(sentences[number] for number in sorted(kept))
        return self._language.cut(text, _LONGEST)
