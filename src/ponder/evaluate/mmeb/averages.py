"""Means of a run over its tasks: as the official script prints them, and over what is really there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ponder.evaluate.mmeb.scores import MODALITIES, Entry, Scores

DECIMALS = 4
"""Of a mean, as the official script prints them."""


@dataclass(frozen=True, slots=True)
class Mean:
    """Of one figure a task.

    Attributes:
        metric: The figure; "" where tasks have different ones.
        values: Task → figure, of those that have one.
        missing: The others.
    """

    metric: str
    values: Mapping[str, float]
    missing: Sequence[str]

    @property
    def found(self) -> float | None:
        """Over what is there, as the official script has it: an incomplete run looks better by it."""
        return sum(self.values.values()) / len(self.values) if self.values else None

    @property
    def honest(self) -> float:
        """What is missing counts as 0."""
        count = len(self.values) + len(self.missing)
        return sum(self.values.values()) / count if count else 0.0

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON, rounded to `DECIMALS`."""
        return {
            **({"metric": self.metric} if self.metric else {}),
            "found": len(self.values),
            "expected": len(self.values) + len(self.missing),
            "missing": list(self.missing),
            "mean_of_found": rounded(self.found),
            "mean_with_missing_as_0": rounded(self.honest),
        }


@dataclass(frozen=True, slots=True)
class Averages:
    """All means of a run.

    Attributes:
        modalities: By modality.
        meta_tasks: By meta-task.
        overall: Over all tasks: what the literature calls overall.
    """

    modalities: Mapping[str, Mean]
    meta_tasks: Mapping[str, Mean]
    overall: Mean

    @property
    def of_modalities(self) -> float | None:
        """The mean of the three modalities' means, which some tables have instead."""
        means = [mean.found for mean in self.modalities.values()]
        known = [mean for mean in means if mean is not None]
        return sum(known) / len(known) if known else None


def averages(entries: Iterable[Entry]) -> Averages:
    """The means over some tasks."""
    several = list(entries)
    meta_tasks = dict.fromkeys(entry.task.meta_task for entry in several)
    return Averages(
        {m: _mean([entry for entry in several if entry.task.modality == m]) for m in MODALITIES},
        {name: _mean([entry for entry in several if entry.task.meta_task == name]) for name in meta_tasks},
        _mean(several),
    )


def _mean(entries: Sequence[Entry]) -> Mean:
    metrics = {entry.task.metric for entry in entries}
    values = {entry.task.name: entry.value for entry in entries}
    return Mean(
        metrics.pop() if len(metrics) == 1 else "",
        {name: value for name, value in values.items() if value is not None},
        [name for name, value in values.items() if value is None],
    )


def averages_fields(scores: Scores) -> dict[str, Any]:
    """All means for JSON, and what the official script would print."""
    found = averages(scores.entries)
    extra = scores.extra if scores.published else {}
    return {
        "modalities": {
            name: {**mean.fields, "ignored_extra_keys": list(extra.get(name, ()))}
            for name, mean in found.modalities.items()
        },
        "meta_tasks": {
            name: {"n": len(mean.values), "mean": rounded(mean.found), **mean.fields}
            for name, mean in found.meta_tasks.items()
        },
        "overall": {
            **found.overall.fields,
            "unweighted_mean_of_3_modality_means_of_found": rounded(found.of_modalities),
        },
        "official_printed": official_printed(scores),
        "ignored": {name: list(names) for name, names in scores.extra.items() if names},
    }


def official_printed(scores: Scores) -> dict[str, list[str]]:
    """What the official report script prints of a run.

    It puts two page tasks into the report under their leaderboard names and then looks for the old ones: its
    mean over documents lacks both, and it calls them not processed. (VLM2Vec 6e1e1d4,
    ``experiments/report_score_v2.py``, lines 142 and 162-199.)
    """
    averages_printed, missing = [], []
    for modality in MODALITIES:
        entries = scores.of(modality)
        seen = [entry for entry in entries if entry.task.leaderboard_key == entry.task.name]
        mean = _mean(seen)
        averages_printed.append(
            f"Average of {modality.upper()}\t- {mean.metric}:\t{mean.found or 0.0:.4f} "
            f"(from {len(mean.values)} datasets)"
        )
        lost = [entry for entry in entries if entry not in seen or entry.value is None]
        # Those without a score come before those whose score lacks the figure.
        lost.sort(key=lambda entry: entry in seen and not entry.status)
        missing += [_printed(entry) for entry in lost]
    return {"averages": averages_printed, "missing": missing}


def _printed(entry: Entry) -> str:
    name = entry.task.name
    if entry.task.leaderboard_key != name:
        return f"{name} (status: Not Processed)"
    if entry.status:
        return f"{name} (status: {entry.status})"
    return f"{name} (metric '{entry.task.metric}' missing/invalid)"


def rounded(value: float | None) -> float | None:
    """As the official script rounds means."""
    return None if value is None else round(value, DECIMALS)
