"""The `lite` query-aware stage: each kind of candidate is reasoned about in its own way."""

from __future__ import annotations

from collections.abc import Sequence

from ponder.models.lite.language import Language
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.naming import NamingJudge

_VERSION = "query-aware-1"


class QueryAwareJudge:
    """Re-reads the few best with the query in view: pictures by naming, clips by their events.

    Scores come on retrieval's scale, so its weight is 1.

    Args:
        language: The model.
    """

    name = "query-aware"
    reads: Reads = "ecr"
    weight = 1.0

    def __init__(self, language: Language) -> None:
        self._language = language
        self._naming = NamingJudge(language)

    @property
    def fingerprint(self) -> str:
        """Model, prompts, scales."""
        return f"{self._language.fingerprint}/{_VERSION}"

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`."""
        if not query.text.strip():
            return Judgement(tuple(_unjudged(c, "the query has no words") for c in candidates))
        pictures = [c for c in candidates if c.row.item.kind == "image"]
        judged = self._naming.judge(query, pictures, limit=limit) if pictures else Judgement(())
        verdicts = {verdict.id: verdict for verdict in judged.verdicts}
        return Judgement(_in_order(candidates, verdicts), judged.usage + Usage())


def _in_order(candidates: Sequence[Candidate], verdicts: dict[str, Verdict]) -> tuple[Verdict, ...]:
    return tuple(verdicts[c.row.item.id] for c in candidates if c.row.item.id in verdicts)


def _unjudged(candidate: Candidate, why: str) -> Verdict:
    return Verdict(candidate.row.item.id, None, note=why)
