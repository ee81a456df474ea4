"""A run beside the published figures, in Markdown."""

from __future__ import annotations

import csv
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from ponder.evaluate.mmeb.averages import Averages, Mean, averages
from ponder.evaluate.mmeb.scores import MODALITIES, Entry, Scores
from ponder.evaluate.page import plain, table_lines


@dataclass(frozen=True, slots=True)
class Published:
    """A line of ``leaderboard.csv``.

    Attributes:
        model: Its name.
        overall: Mean over the 78 tasks, per cent.
        modalities: Means by modality, per cent, of those that are public.
        reasons: Whether it reasons.
        source: Where the figures are from.
    """

    model: str
    overall: float
    modalities: Mapping[str, float]
    reasons: bool
    source: str


@functools.cache
def published() -> tuple[Published, ...]:
    """The figures that others published, the best first.

    Example:
        >>> published()[0].model
        'WeMM-Embedding-9B'
    """
    text = resources.files("ponder.evaluate.mmeb").joinpath("leaderboard.csv").read_text("utf-8")
    return tuple(
        Published(
            row["model"],
            float(row["overall"]),
            {name: float(row[name]) for name in MODALITIES if row[name]},
            row["reasons"] == "yes",
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def markdown(name: str, runs: Mapping[int | None, Scores], partial: Mapping[str, int]) -> str:
    """The comparison.

    Args:
        name: Of the model.
        runs: The scores at each budget, the smallest first; under None where there are no budgets.
        partial: Tasks that are left out because some of their queries could not be asked → how many.
    """
    return "\n".join(_lines(name, runs, partial)) + "\n"


def _lines(name: str, runs: Mapping[int | None, Scores], partial: Mapping[str, int]) -> Iterator[str]:
    means = {budget: averages(scores.entries) for budget, scores in runs.items()}
    last = list(means.values())[-1]
    yield f"# MMEB-V2: {plain(name)}"
    yield ""
    yield "Mean over tasks of hit@1 (image, video) and linear nDCG@5 (documents), per cent."
    yield from _caveats(last, partial)
    yield from ["", "## Beside the published figures", ""]
    yield from _board(name, means)
    yield from ["", "## By meta-task", ""]
    yield from _meta_tasks(means)
    if len(means) > 1:
        yield from ["", "## What a budget gains", ""]
        yield from _gains(runs)
    staged = _stages(runs)
    if staged:
        yield from ["", "## What a stage gains", "", "Means over the tasks that this run asked, per cent."]
        yield from ["", *staged]
    yield from ["", "## By task", ""]
    yield from _tasks(runs)


def _caveats(means: Averages, partial: Mapping[str, int]) -> Iterator[str]:
    lost = means.overall.missing
    if lost:
        count = len(means.overall.values)
        yield ""
        yield (
            f"**{len(lost)} of {count + len(lost)} tasks have no score**: {', '.join(map(plain, lost))}. "
            f"Means are over the {count} that have one; with what is missing as 0 the overall is "
            f"{_cent(means.overall.honest)}."
        )
    if partial:
        names = ", ".join(f"{plain(name)} ({count} queries)" for name, count in partial.items())
        yield ""
        yield f"**Incomplete**, some queries could not be asked: {names}."


def _board(name: str, means: Mapping[int | None, Averages]) -> list[str]:
    rows: list[tuple[float, list[str]]] = []
    for each in published():
        figures = [_number(each.modalities.get(modality)) for modality in MODALITIES]
        rows.append(
            (each.overall, [each.model, _number(each.overall), *figures, _yes(each.reasons), each.source])
        )
    for budget, found in means.items():
        own = f"**{plain(name)}{'' if budget is None else f', {budget} tokens a query'}**"
        figures = [_of(found.modalities[modality]) for modality in MODALITIES]
        rows.append((100 * (found.overall.found or 0.0), [own, _of(found.overall), *figures, "", "this run"]))
    rows.sort(key=lambda row: -row[0])
    return table_lines(["model", "all", *MODALITIES, "reasons", "source"], [cells for _, cells in rows])


def _meta_tasks(means: Mapping[int | None, Averages]) -> list[str]:
    first = next(iter(means.values()))
    heads = ["meta-task", "tasks", *(_budget(budget) for budget in means)]
    rows = []
    for name, mean in first.meta_tasks.items():
        count = len(mean.values) + len(mean.missing)
        rows.append([name, str(count), *(_of(each.meta_tasks[name]) for each in means.values())])
    return table_lines(heads, rows)


def _gains(runs: Mapping[int | None, Scores]) -> list[str]:
    """Differences over the tasks that both have: means of different tasks cannot be subtracted."""
    budgets = list(runs)
    rows = []
    for before, after in itertools.pairwise(budgets):
        pairs = [
            (old, new)
            for old, new in zip(runs[before].entries, runs[after].entries, strict=True)
            if old.value is not None and new.value is not None
        ]
        groups = ["all", *MODALITIES]
        cells = [_gain([p for p in pairs if group in ("all", p[0].task.modality)]) for group in groups]
        moved = sorted(pairs, key=lambda pair: (pair[1].value or 0) - (pair[0].value or 0))
        ends = [f"{p[1].task.name} {_gain([p])}" for p in (moved[-1], moved[0])] if moved else ["", ""]
        rows.append([f"{_budget(before)} → {_budget(after)}", str(len(pairs)), *cells, *ends])
    return table_lines(["budget", "tasks", "all", *MODALITIES, "most", "least"], rows)


def _gain(pairs: Sequence[tuple[Entry, Entry]]) -> str:
    gaps = [(new.value or 0.0) - (old.value or 0.0) for old, new in pairs]
    return f"{100 * sum(gaps) / len(gaps):+.1f}" if gaps else ""


def _stages(runs: Mapping[int | None, Scores]) -> list[str]:
    """The headline figure after each stage, by budget; empty where the score files do not say."""
    rows = []
    names: dict[str, None] = {}
    for budget, scores in runs.items():
        by_task = [((e.ours or {}).get("by_stage") or {}, e.value) for e in scores.entries]
        told = [(stages, value) for stages, value in by_task if stages and value is not None]
        if not told:
            continue
        found = {stage: [each[stage] for each, _ in told if stage in each] for stage in told[0][0]}
        names |= dict.fromkeys(found)
        cells = {stage: _cent(sum(values) / len(values)) for stage, values in found.items() if values}
        rows.append((_budget(budget), cells, _cent(sum(value for _, value in told) / len(told))))
    if not rows:
        return []
    heads = ["budget", *(f"after {name}" for name in names), "at the end"]
    return table_lines(heads, [[head, *(c.get(n, "") for n in names), end] for head, c, end in rows])


def _tasks(runs: Mapping[int | None, Scores]) -> list[str]:
    several = list(runs.values())
    heads = ["task", "meta-task", "metric", *(_budget(budget) for budget in runs), "ties against"]
    rows = []
    for place, entry in enumerate(several[-1].entries):
        values = [_cent(each.entries[place].value) for each in several]
        rows.append([entry.task.name, entry.task.meta_task, entry.task.metric, *values, _cent(entry.against)])
    return table_lines(heads, rows)


def _of(mean: Mean) -> str:
    told = _cent(mean.found)
    return f"{told} (of {len(mean.values)})" if told and mean.missing else told


def _budget(budget: int | None) -> str:
    return "score" if budget is None else f"{budget:,}"


def _cent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _yes(value: bool) -> str:
    return "yes" if value else ""
