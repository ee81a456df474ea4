"""Running MMEB-V2's official layout end to end with `lite`, broken off by kills and gone on with.

The layout of ../shared/data/mmeb_fixture (or PONDER_MMEB_FIXTURE) has 30 tasks of every family. One run
goes through; one is killed at random moments and started again until it arrives. Answers, rankings and scores
have to be the same to the byte. The peer is beginning anew after each kill, which is what the official
script's reuse of half-written files comes to.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from harness import PONDER, ROOT, finish, options

PARTLY = 7
"""The layout has 30 of the 78 tasks: the rest are listed as skipped."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=4, help="how often the second run is killed")
    parser.add_argument("--models", default="lite")
    arguments = parser.parse_args()
    fixture = os.environ.get("PONDER_MMEB_FIXTURE", str(ROOT.parent / "shared" / "data" / "mmeb_fixture"))
    layout = Path(fixture) / "official_layout"
    with tempfile.TemporaryDirectory(prefix="mmeb-run-") as made:
        whole, broken = Path(made) / "whole", Path(made) / "broken"
        took, rows = through(layout, whole, arguments.models)
        spent, killed, lost = through_kills(layout, broken, arguments.models, took, arguments.kills)
        first, second = files(whole), files(broken)
    finish(
        arguments,
        "mmeb_run",
        ours=spent,
        peer=took + lost,
        peer_name="beginning anew after each kill",
        unit="s",
        checks={
            "every task of the layout is scored at both budgets": len(rows) == 60,
            "it was killed": killed > 0,
            "files of the killed run are those of the whole one": first == second and bool(first),
            "no query is over its budget": all(row["spent"] <= row["budget"] for row in rows),
        },
        details={
            "seconds_unbroken": round(took, 1),
            "seconds_of_killed_parts_and_the_rest": round(spent, 1),
            "kills": killed,
            "tasks": rows,
        },
    )


def command(layout: Path, out: Path, models: str) -> list[str]:
    told = [
        "mmeb",
        "run",
        str(layout),
        "--models",
        models,
        "--budget",
        "0,256",
        "--tasks",
        "all",
        "--out",
        str(out),
        "--json",
    ]
    return [str(PONDER), *told]


def environment(out: Path) -> dict[str, str]:
    # Each run has a cache of its own: nothing is found that the other made.
    return {**os.environ, "PONDER_CACHE": str(out.with_name(f"{out.name}-cache"))}


def through(layout: Path, out: Path, models: str) -> tuple[float, list[dict[str, object]]]:
    began = time.perf_counter()
    done = subprocess.run(
        command(layout, out, models), env=environment(out), capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode not in (0, PARTLY):
        raise SystemExit(done.stderr)
    rows = []
    for row in map(json.loads, done.stdout.splitlines()):
        tokens = row["tokens_per_query"]
        names = ("task", "budget", "metric", "value", "ties_against", "queries")
        rows.append({**{k: row.get(k) for k in names}, "spent": tokens["read"] + tokens["written"]})
    return took, rows


def through_kills(layout: Path, out: Path, models: str, took: float, kills: int) -> tuple[float, int, float]:
    """Seconds in all, kills, and what beginning anew each time would have cost besides."""
    chance = random.Random(5)
    spent = lost = 0.0
    killed = 0
    while True:
        began = time.perf_counter()
        child = subprocess.Popen(
            command(layout, out, models),
            env=environment(out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            child.wait(timeout=chance.uniform(0.05, 0.3) * took if killed < kills else None)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
            killed += 1
            lost += time.perf_counter() - began
        spent += time.perf_counter() - began
        if child.returncode in (0, PARTLY):
            return spent, killed, lost
        if child.returncode != -signal.SIGKILL:
            raise SystemExit(f"the run ended with {child.returncode}")


def files(out: Path) -> dict[str, bytes]:
    """Answers, rankings, labels and scores by their place; times of day and commands stand in none."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("budget-*/*/*"))
        if path.is_file()
    }


if __name__ == "__main__":
    main()
