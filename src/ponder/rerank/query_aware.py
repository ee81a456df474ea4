"""The `lite` query-aware stage: each kind of candidate is reasoned about in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ponder.models.lite.language import Language
from ponder.models.lite.text_encoder import TextEncoder
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Kind, Usage, Verdict
from ponder.rerank.briefs import Brief, BriefJudge, affordable
from ponder.rerank.evidence import EvidenceJudge
from ponder.rerank.naming import NamingJudge

_VERSION = "query-aware-2"


class QueryAwareJudge:
    """Re-reads the few best with the query in view and judges what that brings to light.

    Pictures are named in answer to the query, pages and texts are quoted. Scores come on retrieval's
    scale, so the stage's weight is 1.

    Args:
        language: Writes and judges.
        encoder: Its vocabulary says which words are rare.
    """

    name = "query-aware"
    reads: Reads = "ecr"
    weight = 1.0

    def __init__(self, language: Language, encoder: TextEncoder) -> None:
        self._language = language
        evidence = EvidenceJudge(language, encoder)
        self._judges: Mapping[Kind, BriefJudge] = {
            "image": NamingJudge(language),
            "page": evidence,
            "text": evidence,
        }

    @property
    def fingerprint(self) -> str:
        """Model, prompts, scales."""
        return f"{self._language.fingerprint}/{_VERSION}"

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`."""
        if not query.text.strip():
            return Judgement(tuple(_unjudged(c, "the query has no words") for c in candidates))
        briefs: dict[str, Brief] = {}
        for judge in dict.fromkeys(self._judges.values()):
            theirs = [c for c in candidates if self._judges.get(c.row.item.kind) is judge]
            briefs |= {brief.candidate.row.item.id: brief for brief in judge.briefs(query, theirs)}
        in_order = [briefs.get(c.row.item.id, Brief(c, 0, None)) for c in candidates]
        taken = affordable(in_order, limit)
        verdicts: dict[str, Verdict] = {}
        usage = Usage()
        for judge in dict.fromkeys(self._judges.values()):
            theirs_taken = [b for b in taken if self._judges.get(b.candidate.row.item.kind) is judge]
            if theirs_taken:
                judged = judge.decide(query, theirs_taken)
                usage += judged.usage
                verdicts |= {verdict.id: verdict for verdict in judged.verdicts}
        said = [
            verdicts.get(b.candidate.row.item.id) or _unjudged(b.candidate, "no judge for its kind")
            for b in taken
        ]
        return Judgement(tuple(said), usage)


def _unjudged(candidate: Candidate, why: str) -> Verdict:
    return Verdict(candidate.row.item.id, None, note=why)
