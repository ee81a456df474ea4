"""Indexing a folder again with nothing changed, beside indexing it for the first time.

Four folders: the bundled collection with `lite`, 2,000 short texts with the fakes, and each of them with a
picture that is cut off, which is listed as skipped every time. The caches are empty before the first time.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from harness import PONDER, finish, options, run

TEXTS = 2_000
RATIO = 50.0
BASE, PER_ITEM = 0.5, 0.001
"""Seconds that are little enough whatever the first time took."""

PARTLY = 7
"""Exit code when something was skipped."""

HEAVY = ("torch", "lancedb", "onnxruntime", "transformers", "sentence_transformers")

_WATCHED = (
    "import sys\n"
    "from ponder.cli.main import run\n"
    "code = run(sys.argv[2:])\n"
    "print(*(name for name in sys.argv[1].split(',') if name in sys.modules))\n"
)
"""Runs a command line and prints which of the named modules it has loaded."""


@dataclass(frozen=True)
class Case:
    """One folder to index twice."""

    name: str
    models: str
    bad_file: bool


CASES = tuple(
    Case(name + (" and a broken file" if bad else ""), models, bad)
    for name, models in (("demo collection, lite", "lite"), (f"{TEXTS} texts, fakes", "fake"))
    for bad in (False, True)
)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--models", choices=("lite", "fake", "all"), default="all", help="only these cases")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if arguments.models in ("all", case.models)]
    found = {case.name: measure(case) for case in chosen}
    # The fakes cost nothing the first time either: they are there for the time an item, not for the ratio.
    headline = found[chosen[0].name]
    share = max(each["again"] / each["limit"] for each in found.values())
    checks = {}
    for name, each in found.items():
        checks[f"{name}: {RATIO:g}x faster, or under {BASE} s + 1 ms an item"] = each["met"]
        checks[f"{name}: no model or database is loaded"] = not each["loaded"]
    finish(
        arguments,
        "reindex",
        ours=headline["again"],
        peer=headline["first"],
        peer_name=f"indexing for the first time: {chosen[0].name}",
        unit="seconds, whole process",
        limit_share=share,
        checks=checks,
        details=found,
        packages=["lancedb", "torch"],
    )


def measure(case: Case) -> dict[str, Any]:
    """Index a folder twice, in new processes."""
    with tempfile.TemporaryDirectory(prefix="ponder-reindex-") as name:
        base = Path(name)
        files, shelf = base / "files", base / "shelf"
        fill(files, case)
        environment = {"PONDER_CACHE": str(base / "cache")}
        codes = (PARTLY,) if case.bad_file else (0,)
        command: list[str | Path] = [PONDER, "index", shelf, files, "--json"]
        began = time.perf_counter()
        made = json.loads(run([*command, "--models", case.models], codes=codes, environment=environment))
        first = time.perf_counter() - began
        again = []
        for _ in range(5):
            began = time.perf_counter()
            report = json.loads(run(command, codes=codes, environment=environment))
            again.append(time.perf_counter() - began)
        assert (report["unchanged"], report["added"]) == (made["added"], 0), report
        assert len(report["skipped"]) == case.bad_file, report
        watched = [sys.executable, "-c", _WATCHED, ",".join(HEAVY), *map(str, command[1:])]
        loaded = run(watched, environment=environment).splitlines()[-1].split()
    least = min(again)
    limit = BASE + PER_ITEM * made["added"]
    return {
        "items": made["added"],
        "first": round(first, 3),
        "again": round(least, 3),
        "ratio": round(first / least, 1),
        "limit": round(limit, 3),
        "met": first / least >= RATIO or least < limit,
        "loaded": loaded,
    }


def fill(files: Path, case: Case) -> None:
    """Make the case's folder."""
    if case.models == "lite":
        with resources.as_file(resources.files("ponder") / "demo" / "collection") as collection:
            shutil.copytree(collection, files)
    else:
        files.mkdir()
        for number in range(TEXTS):
            words = " ".join(f"word{(number * step) % 997}" for step in range(1, 31))
            (files / f"{number:05}.txt").write_text(words)
    if case.bad_file:
        (files / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(64))


if __name__ == "__main__":
    main()
