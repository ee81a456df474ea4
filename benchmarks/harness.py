"""What the benchmarks share: timing, what they ran on, and the one line that each prints and keeps."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
PONDER = Path(sys.executable).parent / "ponder"


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON line")
    parser.add_argument("--out", type=Path, help="file to append the line to; benchmarks/results/NAME.jsonl")
    return parser


def versions(*packages: str) -> dict[str, str]:
    """Versions of ponder, Python and the named packages that are there."""
    found = {"python": platform.python_version()}
    for name in ("ponder", *packages):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What it ran on, without names of hosts or paths."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(terse=True),
        # Beside other programs times grow; whoever compares lines has to know.
        "load": round(os.getloadavg()[0], 1),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def commit() -> str:
    """The commit that is checked out, with "+" when tracked code differs from it; "" outside of git."""
    head = _git("rev-parse", "--short=12", "HEAD")
    # The results themselves change while benchmarks run.
    return head + (
        "+" if head and _git("status", "--porcelain", "-uno", "--", "src", "pyproject.toml") else ""
    )


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def today() -> str:
    """The time now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Add a JSON line to a file of results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def finish(
    arguments: argparse.Namespace,
    name: str,
    *,
    ours: float,
    peer: float,
    peer_name: str,
    unit: str,
    checks: Mapping[str, bool],
    details: Mapping[str, Any],
    packages: Sequence[str] = (),
    limit_share: float | None = None,
) -> None:
    """Print the benchmark's line (contract: "Benchmarks") and keep it; ends the process.

    Args:
        arguments: Of `options`.
        name: The benchmark's.
        ours: Our figure; smaller is better.
        peer: The peer's, measured in the same way.
        peer_name: What a person would use instead.
        unit: Of both.
        checks: What has to hold → whether it does; the exit code is 1 when one does not.
        details: The figures behind.
        packages: Whose versions matter.
        limit_share: The largest figure that has a limit, as a share of it: over 1 is too much.
    """
    row: dict[str, Any] = {
        "benchmark": name,
        "ours": round(ours, 6),
        "peer": round(peer, 6),
        "peer_name": peer_name,
        "ratio": round(peer / ours, 3) if ours else None,
        "unit": unit,
        **({} if limit_share is None else {"limit_share": round(limit_share, 3)}),
        "checks": dict(checks),
        "details": dict(details),
        "versions": versions(*packages),
        "machine": machine(),
        "commit": commit(),
        "date": today(),
    }
    append(arguments.out or RESULTS / f"{name}.jsonl", row)
    if not arguments.json:
        for key, value in details.items():
            print(f"{key}: {value}")
        for key, held in checks.items():
            print(f"{'ok' if held else 'NOT MET'}: {key}")
    print(json.dumps(row), flush=True)
    sys.exit(0 if all(checks.values()) else 1)


def seconds(work: Callable[[], object], *, repeat: int = 5, warm: int = 1) -> list[float]:
    """Wall times of `work`, sorted, after `warm` runs that are not counted."""
    for _ in range(warm):
        work()
    found = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return sorted(found)


def process_seconds(command: Sequence[str | Path], *, repeat: int = 20, warm: int = 2) -> float:
    """Least wall time of a process from its start to its end, files in the page cache.

    The least and not the median: other programs on the machine only ever add to it.
    """
    return seconds(lambda: run(command), repeat=repeat, warm=warm)[0]


def processor_seconds(command: Sequence[str | Path]) -> float:
    """Processor time of one process, user and system: what is left of a wall time on an idle machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def run(
    command: Sequence[str | Path],
    *,
    codes: Sequence[int] = (0,),
    environment: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a command.

    Raises:
        RuntimeError: Its exit code is not among `codes`.
    """
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]
