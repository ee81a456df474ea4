"""The `lite` judge of pages and texts: each word of the query looks for its like in what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from ponder.models.lite.text_encoder import MAX_TOKENS, States, TextEncoder, rarity
from ponder.records import Candidate, Content, Judgement, PartReasoning, Usage, Verdict
from ponder.rerank.briefs import Brief, judge_within
from ponder.rerank.quoting import quoted, sentences

Evidence = Literal["quotation", "passage"]

_LONGEST = {"quotation": 50, "passage": MAX_TOKENS}
"""Tokens read of a page, the encoder's two marks included: two or three sentences; a passage whole."""

_SCALES = {"quotation": 0.25, "passage": 0.2}
"""From a mean cosine to retrieval's scale. Fitted on dev; from .15 to .45 documents' ndcg@5 moves by .01."""

_SPREAD = 0.09
"""Deviation of a query's scores over 20 pages, before scaling: measured on documents' dev split."""


class LateInteractionJudge:
    """For each word piece of the query the likest piece of the evidence; the mean of these cosines.

    The MaxSim of ColBERT (arXiv:2004.12832), with the states of the encoder that also makes the vectors,
    which was never trained for it, and with each piece of the query weighed by its rarity. The query is read
    once, the evidence once: a quotation costs 42 tokens a page, where a likelihood takes 110. What is quoted
    is chosen by counting words and is text that is stored already: nothing is written, it counts as read.

    Documents dev, ndcg@5 .692 from .615 at budget 0; query likelihood in the same place .642 (docs/log.md).

    Args:
        encoder: Reads.
        evidence: "quotation": the sentences of the whole page that share rare words with the query.
            "passage": the part of the page that retrieval found, whole.
    """

    def __init__(self, encoder: TextEncoder, evidence: Evidence) -> None:
        self._encoder, self._evidence = encoder, evidence
        self._longest, self._scale = _LONGEST[evidence], _SCALES[evidence]
        # The same pages come up for many queries.
        self._pieces = lru_cache(maxsize=1 << 14)(lambda text: frozenset(encoder.pieces(text)))
        self._length = lru_cache(maxsize=1 << 14)(lambda text: encoder.count(text) - 2)

    def judge(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As `ponder.protocols.Reranker.rerank`; a text that shares no word with the query gets no score."""
        return judge_within(self, query, candidates, limit)

    def briefs(self, query: Content, candidates: Sequence[Candidate]) -> list[Brief]:
        """See `BriefJudge`. The query is read with the first that has evidence."""
        pieces = sorted(set(self._encoder.pieces(query.text)))
        wanted = dict(zip(pieces, (rarity(pieces) ** 2).tolist(), strict=True))
        shared = self._encoder.count(query.text)
        found = []
        for candidate in candidates:
            text = self._read_of(candidate, wanted)
            cost = min(self._encoder.count(text), self._longest) + shared if text else 0
            shared = 0 if text else shared
            found.append(Brief(candidate, cost, text))
        return found

    def swing(self, query: Content, candidate: Candidate) -> float:
        """See `ponder.protocols.JudgesApart`."""
        return _SPREAD * self._scale

    def decide(self, query: Content, briefs: Sequence[Brief]) -> Judgement:
        """See `BriefJudge`."""
        if not any(brief.material for brief in briefs):
            return Judgement(tuple(self._verdict(brief, None, None) for brief in briefs))
        asked = self._encoder.states(query.text)
        read = [self._encoder.states(b.material, self._longest) if b.material else None for b in briefs]
        verdicts = tuple(self._verdict(b, asked, states) for b, states in zip(briefs, read, strict=True))
        return Judgement(verdicts, Usage(read=asked.read + sum(states.read for states in read if states)))

    def _verdict(self, brief: Brief, asked: States | None, read: States | None) -> Verdict:
        item = brief.candidate.row.item
        if asked is None or read is None or not len(read.vectors):
            return Verdict(item.id, None, note="nothing on it bears on the query")
        said = f"It says: {brief.material}" if self._evidence == "quotation" else ""
        return Verdict(item.id, self._scale * max_similarity(asked, read), said)

    def _read_of(self, candidate: Candidate, wanted: dict[int, float]) -> str:
        passages = [p for p in candidate.row.reasoning.parts if p.label.startswith("chars=")]
        if self._evidence == "passage":
            return max(passages, key=lambda p: self._fit(p, candidate.part, wanted)).text if passages else ""
        found = sentences("\n".join(passage.text for passage in passages))
        return quoted(found, wanted, self._pieces, self._length, self._longest - 2)

    def _fit(self, passage: PartReasoning, part: str, wanted: dict[int, float]) -> tuple[bool, float]:
        """The part that was found; where that is the whole page, the richest in the query's words."""
        shared = wanted.keys() & self._pieces(passage.text)
        return passage.label == part, sum(wanted[piece] for piece in shared)


def max_similarity(asked: States, read: States) -> float:
    """Over the query's pieces, the mean cosine with the likest piece that was read, weighed by rarity.

    Example:
        >>> import numpy as np
        >>> query = States(np.eye(2, dtype=np.float32), np.array([0.2, 0.6], np.float32), 4)
        >>> round(max_similarity(query, States(np.eye(2, dtype=np.float32)[1:], query.rarity[1:], 3)), 2)
        0.75
    """
    best = (asked.vectors @ read.vectors.T).max(axis=1)
    weight = float(asked.rarity.sum())
    return float(best @ asked.rarity) / weight if weight else float(best.mean())
