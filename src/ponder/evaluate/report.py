"""The line that an evaluation prints for one budget (contract: ``ponder evaluate``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ponder.errors import BadArguments
from ponder.evaluate.beir import Dataset
from ponder.evaluate.bootstrap import intervals
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.metrics import METRICS
from ponder.evaluate.settings import Settings
from ponder.records import Skipped, Usage

if TYPE_CHECKING:
    from ponder.evaluate.retrieval import Outcome

DIGITS = 6
"""Of printed figures: far below the noise, short enough to read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one budget gave.

    Attributes:
        fields: The JSON object, in the contract's order, then ``skipped`` and, if asked for, ``pool`` and
            ``by``.
        skipped: Documents and queries that were left out.
    """

    fields: dict[str, Any]
    skipped: tuple[Skipped, ...]

    @property
    def metrics(self) -> dict[str, float]:
        """Metric → mean over the queries."""
        return dict(self.fields["metrics"])


@dataclass(frozen=True, slots=True)
class LineRun:
    """One budget of ``evaluate-moments`` or ``evaluate-qa``.

    Attributes:
        fields: The contract's line.
        queries: A row a query, for ``--run-dir``: ``_id``, ``metrics``, ``tokens`` and more.
    """

    fields: dict[str, Any]
    queries: tuple[dict[str, Any], ...]


def summarise(
    dataset: Dataset,
    corpus: Corpus,
    settings: Settings,
    budget: int,
    outcomes: Sequence[Outcome],
    skipped: Sequence[Skipped],
) -> Report:
    """The report of one budget's outcomes; there is at least one."""
    columns = {name: [outcome.scores[name] for outcome in outcomes] for name in METRICS}
    bounds = intervals(columns)
    fields: dict[str, Any] = {
        "dataset": dataset.name,
        "split": dataset.split,
        "models": corpus.models.name,
        "budget": budget,
        "reasoning": settings.reasoning,
        "allocate": settings.allocate,
        "queries": len(outcomes),
        "metrics": _means(columns),
        "ci95": {name: rounded(bound) for name, bound in bounds.items()},
        "tokens_per_query": tokens_per_query([outcome.ranking.usage for outcome in outcomes]),
        "tokens_per_document": {
            "read": round(corpus.tokens_per_document.read, 2),
            "written": round(corpus.tokens_per_document.written, 2),
        },
        "seconds_per_query": round(fmean(outcome.seconds for outcome in outcomes), DIGITS),
        "ties": {
            "queries_with_ties_at_top": sum(outcome.tied for outcome in outcomes),
            "hit@1_ties_against": round(fmean(each.hit_at_1_ties_against for each in outcomes), DIGITS),
        },
        "skipped": [{"uri": each.uri, "error": each.error} for each in skipped],
    }
    if settings.pool == "common":
        fields["pool"] = settings.pool
    if settings.by:
        fields["by"] = _breakdown(settings.by, outcomes)
    return Report(fields, tuple(skipped))


def check_field(dataset: Dataset, field: str) -> None:
    """Refuse to break figures down by what no query has; "" is no breakdown.

    Raises:
        BadArguments: No query's metadata has the field.
    """
    there = sorted({name for each in dataset.queries for name in each.metadata})
    if field and field not in there:
        hint = (
            f"fields here: {', '.join(there)}" if there else "the queries of this data set have no metadata"
        )
        raise BadArguments(f"no query has {field!r} in its metadata", "--by", hint)


def tokens_per_query(usages: Sequence[Usage]) -> dict[str, float]:
    """Means of what queries read, wrote and reused, and the most that one of them spent.

    Example:
        >>> tokens_per_query([Usage(read=10, written=2), Usage(cached=6)])
        {'read': 5.0, 'written': 1.0, 'cached': 3.0, 'max': 12}
    """
    return {
        "read": round(fmean(usage.read for usage in usages), 2),
        "written": round(fmean(usage.written for usage in usages), 2),
        "cached": round(fmean(usage.cached for usage in usages), 2),
        "max": max(usage.spent for usage in usages),
    }


def tokens_of(usage: Usage) -> dict[str, int]:
    """What one query read, wrote and reused, as run folders keep it.

    Example:
        >>> tokens_of(Usage(read=10, written=2))
        {'read': 10, 'written': 2, 'cached': 0}
    """
    return {"read": usage.read, "written": usage.written, "cached": usage.cached}


def rounded(interval: tuple[float, float]) -> list[float]:
    """An interval as it is printed."""
    return [round(bound, DIGITS) for bound in interval]


def _breakdown(field: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(str(outcome.query.metadata.get(field, "")), []).append(outcome)
    return {
        value: {
            "queries": len(group),
            "metrics": _means({name: [each.scores[name] for each in group] for name in METRICS}),
        }
        for value, group in sorted(groups.items())
    }


def _means(columns: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(fmean(values), DIGITS) for name, values in columns.items()}
