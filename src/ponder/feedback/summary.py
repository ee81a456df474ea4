"""What mining gave, summed up, and the refusal of what a judge without an opinion gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ponder.errors import InputInvalid
from ponder.evaluate.beir import JudgedQuery
from ponder.feedback.mined import lost_of
from ponder.records import Skipped
from ponder.train.pairs import read_pairs


@dataclass(frozen=True, slots=True)
class Mining:
    """What was mined.

    Attributes:
        path: The folder of Parquet parts, or the file.
        decisions: Pairs by what was decided.
        queries: That were mined for.
        negatives: Hard negatives a query → number of queries.
        tokens: Read and written by the judges.
        left_out: Queries without a positive in the corpus, positives that it lacks, and what could not be
            opened.
    """

    path: Path
    decisions: Mapping[str, int]
    queries: int
    negatives: Mapping[int, int]
    tokens: int
    left_out: tuple[Skipped, ...]


def sum_up(path: Path, queries: Sequence[JudgedQuery], budget: int, left_out: Sequence[Skipped]) -> Mining:
    """Count pairs.

    Args:
        path: Of the pairs.
        queries: That were to be mined for.
        budget: Of the judges; 0 asked none.
        left_out: What was left out before.

    Raises:
        InputInvalid: There is no pair; or the judge said the same of everything, or nothing.
    """
    decisions: Counter[str] = Counter()
    negatives: Counter[str] = Counter()
    seen: dict[str, set[str]] = {}
    tokens = 0
    said: dict[str, set[float]] = {}
    for pair in read_pairs(path):
        decisions[pair.decision] += 1
        seen.setdefault(pair.query_id, set()).add(pair.document_id)
        negatives[pair.query_id] += pair.decision == "hard-negative"
        tokens += pair.tokens
        if pair.judge is not None and pair.retrieval is not None:
            said.setdefault(pair.query_id, set()).add(round(pair.judge - pair.retrieval, 6))
    if not seen:
        raise InputInvalid("no query has a positive in the corpus", str(path), "check the qrels' ids")
    if (
        budget
        and any(len(documents) > 1 for documents in seen.values())
        and not any(len(scores) > 1 for scores in said.values())
    ):
        raise InputInvalid(
            "the judge says the same of everything, or nothing",
            str(path),
            "nothing can be mined by it: choose other --stages, or --budget 0 to go by retrieval alone",
        )
    each = Counter(negatives[name] for name in seen)
    lost = (*left_out, *_lost(path, queries, seen))
    return Mining(path, dict(decisions), len(seen), dict(sorted(each.items())), tokens, lost)


def _lost(path: Path, queries: Sequence[JudgedQuery], seen: Mapping[str, set[str]]) -> list[Skipped]:
    """Queries that were not mined for, and labelled documents that are not there."""
    why = lost_of(path)
    out: list[Skipped] = []
    for each in queries:
        name = each.query.id
        if name not in seen:
            out.append(Skipped(f"query {name}", why.get(name, "no positive in the corpus")))
            continue
        for document, grade in each.grades.items():
            if grade > 0 and document not in seen[name] and document not in each.exclude:
                out.append(Skipped(f"document {document}", f"labelled for query {name}, not in the corpus"))
    return out
