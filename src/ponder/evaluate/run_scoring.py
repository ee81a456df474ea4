"""A TREC run of anyone's, scored against a data set's judgements: ``ponder evaluate DIR --run FILE``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset, load_beir
from ponder.evaluate.bootstrap import intervals
from ponder.evaluate.metrics import METRICS, scores_of
from ponder.evaluate.report import DIGITS, check_field, rounded
from ponder.evaluate.trec_run import Ranking, TrecRun, read_trec

NAMED = 20
"""Ids that are named of each list; all are counted."""


@dataclass(frozen=True, slots=True)
class QueryScore:
    """One query of a run.

    Attributes:
        metrics: By name.
        ranking: The documents, best first, without those that the query excludes.
        tied: More than one document has the best score.
        hit_at_1_ties_against: hit@1 where ties count against the run.
    """

    metrics: Mapping[str, float]
    ranking: tuple[str, ...]
    tied: bool
    hit_at_1_ties_against: float


@dataclass(frozen=True, slots=True)
class RunScore:
    """A run, scored.

    Attributes:
        dataset: What it was held against.
        run: The run.
        queries: Every judged query of the split by its id; one that the run lacks has 0 throughout, as with
            ``trec_eval -c``.
        lacking: Judged queries that the run does not have.
        unknown_queries: Those of the run that have no judgements in the split; they are not scored.
        unknown_documents: Those of the run that are not in the corpus; they keep their places, as documents
            that are not relevant.
        excluded: Results that were taken out because their query excludes them.
        by: The field of the queries' metadata to break down by; "" for none.
    """

    dataset: Dataset
    run: TrecRun
    queries: Mapping[str, QueryScore]
    lacking: Sequence[str]
    unknown_queries: Sequence[str]
    unknown_documents: Sequence[str]
    excluded: int
    by: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The line that is printed."""
        rows = list(self.queries.values())
        columns = {name: [row.metrics[name] for row in rows] for name in METRICS}
        found: dict[str, Any] = {
            "dataset": self.dataset.name,
            "split": self.dataset.split,
            "run": str(self.run.path),
            "tag": self.run.tag,
            "queries": len(rows),
            "metrics": _means(columns),
            "ci95": {name: rounded(bound) for name, bound in intervals(columns).items()},
            "ties": {
                "queries_with_ties_at_top": sum(row.tied for row in rows),
                "hit@1_ties_against": round(fmean(row.hit_at_1_ties_against for row in rows), DIGITS),
            },
            "queries_without_results": _listed(self.lacking),
            "unknown_queries": _listed(self.unknown_queries),
            "unknown_documents": _listed(self.unknown_documents),
            "excluded": self.excluded,
        }
        return {**found, "by": self._breakdown()} if self.by else found

    def _breakdown(self) -> dict[str, Any]:
        groups: dict[str, list[QueryScore]] = {}
        for each in self.dataset.queries:
            value = str(each.metadata.get(self.by, ""))
            groups.setdefault(value, []).append(self.queries[each.query.id])
        return {
            value: {
                "queries": len(group),
                "metrics": _means({name: [row.metrics[name] for row in group] for name in METRICS}),
            }
            for value, group in sorted(groups.items())
        }


def score_run(
    folder: Path, file: Path, *, split: str = "dev", queries: Path | None = None, by: str = ""
) -> RunScore:
    """Score a run. Nothing but the data set's tables is read: its media need not be there.

    Args:
        folder: The BEIR folder.
        file: The run; `ponder.evaluate.trec_run.read_trec` says how it is ordered.
        split: Of the qrels.
        queries: Another file of queries.
        by: Break down by this field of the queries' metadata.

    Raises:
        BadArguments: No query has the field `by`.
        InputNotFound: A file does not exist.
        InputInvalid: A file cannot be used, or the run has none of the split's queries.
    """
    dataset = load_beir(folder, split=split, queries=queries, present=False)
    check_field(dataset, by)
    run = read_trec(file)
    documents = {item.id for item in dataset.items}
    scored: dict[str, QueryScore] = {}
    excluded = 0
    for each in dataset.queries:
        told = run.rankings.get(each.query.id, ())
        left = tuple((name, score) for name, score in told if name not in each.exclude)
        excluded += len(told) - len(left)
        scored[each.query.id] = _scored(left, each.grades)
    if not any(name in run.rankings for name in scored):
        known = next(iter(scored))
        raise InputInvalid(
            f"no query of the run is judged in the split {split}",
            str(file),
            f"it has {next(iter(run.rankings))!r}, the data set {known!r}: check --split",
        )
    return RunScore(
        dataset,
        run,
        scored,
        [name for name in scored if name not in run.rankings],
        [name for name in run.rankings if name not in scored],
        _unknown(run, documents),
        excluded,
        by,
    )


def _unknown(run: TrecRun, documents: Collection[str]) -> list[str]:
    names = (name for ranking in run.rankings.values() for name, _ in ranking)
    return list(dict.fromkeys(name for name in names if name not in documents))


def _scored(ranking: Ranking, grades: Mapping[str, int]) -> QueryScore:
    names = tuple(name for name, _ in ranking)
    best = [name for name, score in ranking if score == ranking[0][1]]
    against = float(bool(best) and all(grades.get(name, 0) > 0 for name in best))
    return QueryScore(scores_of(names, grades), names, len(best) > 1, against)


def _means(columns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: round(fmean(values), DIGITS) for name, values in columns.items()}


def _listed(names: Sequence[str]) -> dict[str, Any]:
    return {"count": len(names), "ids": list(names[:NAMED])}
