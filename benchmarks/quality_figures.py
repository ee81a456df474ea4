"""From the lines that `ponder evaluate` printed to the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality_sections import Section

from ponder.evaluate.bootstrap import Difference, paired_difference
from ponder.evaluate.harm import harmless


@dataclass(frozen=True)
class Run:
    """One command that has ended.

    Attributes:
        section: What it belongs to.
        mode: "off", "shuffled" or "on".
        folder: Holds lines.jsonl and done.json, and what --run-dir writes.
    """

    section: Section
    mode: str
    folder: Path

    @property
    def done(self) -> dict[str, Any]:
        """Command, commit, versions, machine, date and seconds; {} before it has ended."""
        try:
            return dict(json.loads((self.folder / "done.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it printed, one object a budget."""
        return [json.loads(line) for line in (self.folder / "lines.jsonl").read_text("utf-8").splitlines()]

    @property
    def documents(self) -> int | None:
        """How many the corpus has, where the run says so."""
        try:
            manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        except OSError:
            return None
        return int(manifest["dataset"]["documents"])

    def per_query(self, budget: int) -> dict[str, float]:
        """Query id → main measure; {} where the run kept none."""
        path = self.folder / f"queries-{budget}.jsonl"
        if not path.exists():
            return {}
        rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        return {row["_id"]: row["metrics"][self.section.metric] for row in rows}


@dataclass(frozen=True)
class Figure:
    """One row: a mode at a budget, or one group of its queries.

    Attributes:
        name: Mode and budget, or the group.
        value: The main measure.
        ci95: Its interval, where known.
        queries: How many.
        against: Name of the row that it is compared with.
        gain: Value minus that row's.
        paired: The same by query, with its interval.
        harmless: At a higher budget: not below the lower one by more than is allowed.
        tokens: Read and written a query, the mean.
        most: The most that a query spent.
        reused: Stored tokens that a query used, the mean.
        document: Written a document, the mean.
        without: The measure without the media.
    """

    name: str
    value: float
    ci95: tuple[float, float] | None = None
    queries: int = 0
    against: str = ""
    gain: float | None = None
    paired: Difference | None = None
    harmless: bool | None = None
    tokens: float | None = None
    most: int | None = None
    reused: float | None = None
    document: float | None = None
    without: float | None = None


def figures(runs: Mapping[str, Run]) -> list[Figure]:
    """The rows of one section.

    Args:
        runs: Mode → run, in the order of the section's modes. "shuffled" and "on" are compared with
            "off", a budget with the one before.
    """
    found: list[Figure] = []
    previous: tuple[Run, dict[str, Any], str] | None = None
    off = runs.get("off")
    start = (off, off.lines[0], "off @ 0") if off else None
    for mode, run in runs.items():
        for line in run.lines:
            name = f"{mode} @ {line['budget']}"
            before = start if mode != "off" and line["budget"] == 0 else previous
            found.append(_figure(run, line, name, before if mode != "off" else None))
            previous = (run, line, name)
            found += _groups(run, line, mode)
    return found


def main_value(section: Section, line: Mapping[str, Any]) -> float:
    """The main measure of a line, whichever verb printed it."""
    return float(line["metrics"][section.metric] if "metrics" in line else line[section.metric])


def _figure(run: Run, line: Mapping[str, Any], name: str, before: tuple[Run, Any, str] | None) -> Figure:
    section = run.section
    value = main_value(section, line)
    bounds = line["ci95"][section.metric] if "metrics" in line else line["ci95"]
    queries = int(line.get("queries", line.get("questions", 0)))
    tokens = line["tokens_per_query"]
    compared: dict[str, Any] = {}
    if before is not None:
        theirs, other, against = before
        compared = {
            "against": against,
            "gain": value - main_value(section, other),
            "paired": _paired(run, line["budget"], theirs, other["budget"]),
        }
        if line["budget"] > 0:
            compared["harmless"] = harmless(main_value(section, other), value, queries)
    document = line.get("tokens_per_document", {}).get("written")
    return Figure(
        name=name,
        value=value,
        ci95=(bounds[0], bounds[1]),
        queries=queries,
        tokens=tokens["read"] + tokens["written"],
        most=tokens["max"],
        reused=tokens["cached"],
        document=document,
        without=line.get("no_media"),
        **compared,
    )


def _paired(ours: Run, budget: int, theirs: Run, other: int) -> Difference | None:
    mine, yours = ours.per_query(budget), theirs.per_query(other)
    if not mine or mine.keys() != yours.keys():
        return None
    return paired_difference([mine[name] for name in mine], [yours[name] for name in mine])


def _groups(run: Run, line: Mapping[str, Any], mode: str) -> Iterator[Figure]:
    for value, group in line.get("by", {}).items():
        metrics: Mapping[str, float] = group["metrics"]
        yield Figure(
            f"{mode} @ {line['budget']}, {value}", metrics[run.section.metric], queries=group["queries"]
        )


def result_rows(run: Run) -> Sequence[dict[str, Any]]:
    """The run's figures for benchmarks/results/quality.jsonl, one a row."""
    done = run.done
    rows = []
    for line in run.lines:
        about = {
            "benchmark": "quality",
            "section": run.section.name,
            "dataset": line.get("dataset", run.section.source),
            "split": line.get("split", ""),
            "models": line["models"],
            "budget": line["budget"],
            "reasoning": run.mode,
            "queries": line.get("queries", line.get("questions")),
            "tokens_per_query": line["tokens_per_query"],
        }
        ends = {key: done[key] for key in ("command", "commit", "machine", "versions", "date")}
        for metric, value, bounds in _measured(run.section, line):
            rows.append({**about, "metric": metric, "value": value, "ci95": bounds, **ends})
        for group, each in line.get("by", {}).items():
            value = each["metrics"][run.section.metric]
            named = {"group": group, "queries": each["queries"], "metric": run.section.metric}
            rows.append({**about, **named, "value": value, "ci95": None, **ends})
    return rows


def _measured(section: Section, line: Mapping[str, Any]) -> Iterator[tuple[str, float, Any]]:
    if "metrics" in line:
        for metric, value in line["metrics"].items():
            yield metric, value, line["ci95"][metric]
        return
    yield section.metric, line[section.metric], line["ci95"]
    yield "no_media", line["no_media"], line.get("no_media_ci95")
