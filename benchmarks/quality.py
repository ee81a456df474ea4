"""Makes the quality table of docs/benchmarks.md from runs of `ponder evaluate` and its kin.

The runs are done one after the other and kept in a work folder: what has ended is not run again. With
everything in ponder's caches it takes an hour or so on two cores, from scratch several.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import PONDER, RESULTS, append, commit, machine, options, today, versions
from quality_figures import Run, main_value, result_rows
from quality_page import page
from quality_sections import SECTIONS, Section, assemble

ENDED = (0, 7)
"""Exit codes of a run that counts; 7 lists what it had to leave out."""

PACKAGES = (
    "numpy",
    "torch",
    "transformers",
    "sentence-transformers",
    "onnxruntime",
    "rapidocr",
    "pypdfium2",
    "av",
)

LOWEST = {
    ("photos", "on", 0): 0.40,
    ("photos", "on", 1024): 0.46,
    ("documents", "on", 0): 0.544,
}
"""Main measures that were asked for: section, mode, budget → bar. Documents': MiniLM's best 90-word chunk."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of photos, stamps, documents, video")
    parser.add_argument("--only", default="", help="sections, as in photos,documents")
    parser.add_argument("--work", type=Path, default=Path("build/quality"), help="where runs are kept")
    parser.add_argument("--models", default="lite", help="a preset's name")
    parser.add_argument("--again", action="store_true", help="run anew what has ended (of --only)")
    parser.add_argument("--results", type=Path, default=RESULTS / "quality.jsonl", help="figures' file")
    arguments = parser.parse_args()
    chosen = sections(parser, arguments.only)
    if not arguments.data.is_dir():
        parser.error(f"no such folder: {arguments.data}")
    # Commands go into the page and the results: no paths of this machine.
    arguments.data, arguments.work = (Path(os.path.relpath(p)) for p in (arguments.data, arguments.work))
    for section in chosen:
        if section.assembled:
            assemble(section.source, arguments.data, arguments.work)
        for mode in section.modes:
            run = Run(section, mode, arguments.work / section.name / mode)
            command = section.command(mode, arguments.data, arguments.work, arguments.models)
            if arguments.again or run.done.get("command") != command:
                perform(run, command)
                for row in result_rows(run):
                    append(arguments.results, row)
    # Sections that were not asked for stay on the page as they were run last.
    done = {
        section: runs
        for section in SECTIONS
        if (runs := ended(section, arguments.data, arguments.work, arguments.models))
    }
    bars = compared(done)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(page(done, bars, arguments.data), encoding="utf-8")
    elif not arguments.json:
        print(page(done, bars, arguments.data))
    checks = {what: met for what, _, _, met in bars}
    print(json.dumps(summary(done, checks)), flush=True)
    sys.exit(0 if all(checks.values()) else 1)


def sections(parser: Any, only: str) -> list[Section]:
    """Those named, in the table's order; all when none is."""
    named = [name.strip() for name in only.split(",") if name.strip()]
    known = [section.name for section in SECTIONS]
    if unknown := set(named) - set(known):
        parser.error(f"unknown sections {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return [section for section in SECTIONS if not named or section.name in named]


def perform(run: Run, command: Sequence[str]) -> None:
    """Run a command and keep what it printed; its progress goes to our stderr."""
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / "done.json").unlink(missing_ok=True)
    keep = ["--run-dir", str(run.folder)]
    print(f"{run.section.name}, {run.mode}: {' '.join(command)}", file=sys.stderr, flush=True)
    at, on, began = commit(), machine(), time.perf_counter()
    with (run.folder / "lines.jsonl").open("wb") as lines:
        code = subprocess.run([PONDER, *command[1:], *keep, "--json"], stdout=lines, check=False).returncode
    if code not in ENDED:
        sys.exit(f"error: exit {code} ({' '.join(command)}): what has ended is kept; run this again to go on")
    done = {
        "command": list(command),
        "seconds": round(time.perf_counter() - began, 1),
        "commit": at,
        "machine": on,
        "versions": versions(*PACKAGES),
        "date": today(),
    }
    # Last, and at once: a run is either wholly there or run again.
    half = run.folder / f".done.{os.getpid()}"
    half.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    half.replace(run.folder / "done.json")


def ended(section: Section, data: Path, work: Path, models: str) -> dict[str, Run]:
    """Mode → run, of those that have ended and were started with this command."""
    runs = {mode: Run(section, mode, work / section.name / mode) for mode in section.modes}
    return {
        mode: run
        for mode, run in runs.items()
        if run.done.get("command") == section.command(mode, data, work, models)
    }


def values(runs: dict[str, Run]) -> dict[tuple[str, int], float]:
    """(Mode, budget) → main measure."""
    return {
        (mode, line["budget"]): main_value(run.section, line)
        for mode, run in runs.items()
        for line in run.lines
    }


def compared(done: dict[Section, dict[str, Run]]) -> list[tuple[str, float, float, bool]]:
    """What was asked for, the figure, the bar, and whether it is met."""
    bars = []
    for section, runs in done.items():
        found = values(runs)
        for (name, mode, budget), bar in LOWEST.items():
            value = found.get((mode, budget)) if name == section.name else None
            if value is not None:
                bars.append(
                    (
                        f"{section.title}: {section.metric}, {mode} @ {budget}, at least",
                        value,
                        bar,
                        value >= bar,
                    )
                )
        if section.name == "photos" and ("shuffled", 0) in found and ("off", 0) in found:
            wrong, off = found["shuffled", 0], found["off", 0]
            bars.append((f"{section.title}: shuffled below off", wrong, off, wrong < off))
    return bars


def summary(done: dict[Section, dict[str, Run]], checks: dict[str, bool]) -> dict[str, Any]:
    """The benchmark's line (contract: "Benchmarks"): the full cascade beside no reasoning, on photos or the
    first section that is there."""
    section, runs = next(iter(done.items()))
    found = values(runs)
    ours = max((budget, value) for (mode, budget), value in found.items() if mode == "on")[1]
    peer = found.get(("off", 0), 0.0)
    return {
        "benchmark": "quality",
        "ours": ours,
        "peer": peer,
        "peer_name": f"{section.name}, {section.metric}: the same index without reasoning, budget 0",
        "ratio": round(ours / peer, 3) if peer else None,
        "checks": checks,
        "versions": versions(*PACKAGES),
        "machine": machine(),
        "commit": commit(),
    }


if __name__ == "__main__":
    main()
