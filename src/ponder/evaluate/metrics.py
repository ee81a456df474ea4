"""Retrieval metrics of one query, by the definitions of trec_eval (nDCG with linear gain).

They are written out because two rules are ours: ties at the top count against us, and the ideal of nDCG
is taken over all judged documents, those that could not be opened included. `tests/evaluate` checks them
against ir-measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ponder.records import Hit

METRICS = ("hit@1", "hit@5", "hit@10", "ndcg@5", "ndcg@10", "mrr@10", "recall@100")

Grades = Mapping[str, int]


def hit_at(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """1.0 if any of the first `k` documents has a grade above 0, else 0.0.

    Example:
        >>> hit_at(["a", "b"], {"b": 1}, 1), hit_at(["a", "b"], {"b": 1}, 5)
        (0.0, 1.0)
    """
    return float(any(grades.get(doc, 0) > 0 for doc in ranked[:k]))


def ndcg_at(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """Discounted cumulative gain of the first `k`, gain = grade, over that of the ideal order.

    Grades below 0 count as 0; 0.0 when nothing relevant is judged (Jaervelin and Kekaelaeinen, 2002).

    Example:
        >>> ndcg_at(["a", "b"], {"a": 2, "b": 1}, 5)
        1.0
    """
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    best = _dcg(ideal)
    return _dcg([max(grades.get(doc, 0), 0) for doc in ranked[:k]]) / best if best else 0.0


def mrr_at(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """1 / rank of the first relevant document among the first `k`, else 0.0.

    Example:
        >>> mrr_at(["a", "b"], {"b": 1}, 10)
        0.5
    """
    return next((1.0 / rank for rank, doc in enumerate(ranked[:k], 1) if grades.get(doc, 0) > 0), 0.0)


def recall_at(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """Share of the relevant documents that are among the first `k`; 0.0 when there are none.

    Example:
        >>> recall_at(["a", "b"], {"b": 1, "c": 1}, 100)
        0.5
    """
    relevant = {doc for doc, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def scores_of(ranked: Sequence[str], grades: Grades) -> dict[str, float]:
    """Every metric of `METRICS` for one query.

    Args:
        ranked: Document ids, best first, each once.
        grades: The query's judgements.

    Returns:
        Metric name → value in [0, 1].
    """
    return {
        "hit@1": hit_at(ranked, grades, 1),
        "hit@5": hit_at(ranked, grades, 5),
        "hit@10": hit_at(ranked, grades, 10),
        "ndcg@5": ndcg_at(ranked, grades, 5),
        "ndcg@10": ndcg_at(ranked, grades, 10),
        "mrr@10": mrr_at(ranked, grades, 10),
        "recall@100": recall_at(ranked, grades, 100),
    }


def top_ties(hits: Sequence[Hit]) -> tuple[str, ...]:
    """Ids of the documents whose score equals the best one's; empty when the first stands alone.

    Compared exactly: a tie that rounding hides was decided by the scores, one that it makes was not.
    """
    if not hits:
        return ()
    tied = tuple(hit.item.id for hit in hits if hit.score == hits[0].score)
    return tied if len(tied) > 1 else ()


def hit_at_1_ties_against(hits: Sequence[Hit], grades: Grades) -> float:
    """hit@1, but a query whose best score is shared with a document that is not relevant is a miss.

    A constant scorer gets 0 by it wherever something is not relevant, whatever the order of the corpus.
    """
    if not hits:
        return 0.0
    tied = top_ties(hits) or (hits[0].item.id,)
    return float(all(grades.get(doc, 0) > 0 for doc in tied))


def _dcg(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
