"""Tokens against dimensions against model size: measures, keeps the points, draws them, says which pays.

    python benchmarks/against.py /work/shared/data/stamps --out build/against

appends a JSON line a point to benchmarks/results/against.jsonl; --draw draws what stands there.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from harness import RESULTS, append, commit, machine, today, versions

from ponder.evaluate.against.compare import AXES, Plan, compare
from ponder.evaluate.beir import load_beir
from ponder.index.cache import user_cache

KEPT = RESULTS / "against.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the points as JSON lines")
    parser.add_argument("folders", nargs="*", type=Path, help="data sets; without any nothing is measured")
    parser.add_argument("--against", default=",".join(AXES), help=f"some of {', '.join(AXES)}")
    parser.add_argument("--models", default="lite")
    parser.add_argument("--other", action="append", default=[], help="more models for the axis of models")
    parser.add_argument("--budget", default="0,64,256")
    parser.add_argument("--metric", default="hit@1")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--kept", type=Path, default=KEPT, help="file of JSON lines")
    parser.add_argument("--draw", action="store_true", help="draw what is kept, measure nothing")
    parser.add_argument("--out", type=Path, help="folder for against.svg, against.png and against.md")
    arguments = parser.parse_args()
    if not arguments.draw:
        for folder in arguments.folders:
            measure(folder, arguments)
    if arguments.out:
        from ponder.evaluate.against.drawing import draw
        from ponder.evaluate.against.verdict import verdict

        points = [row for row in latest(arguments.kept) if row["metric"] == arguments.metric]
        for path in draw(points, arguments.out):
            print(path)
        (arguments.out / "against.md").write_text(verdict(points), "utf-8")


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    plan = Plan(
        models=arguments.models,
        axes=tuple(arguments.against.split(",")),
        budgets=tuple(int(budget) for budget in arguments.budget.split(",")),
        metric=arguments.metric,
        others=tuple(arguments.other),
    )
    dataset = load_beir(folder, split=arguments.split)
    ran = {"commit": commit(), "machine": machine(), "versions": versions("torch", "transformers"),
           "date": today(), "split": arguments.split}  # fmt: skip
    with user_cache() as cache:
        for point in compare(dataset, plan, cache, say=lambda line: print(line, file=sys.stderr, flush=True)):
            append(arguments.kept, {**point.row(), **ran})
            plain = f"{point.axis:7}{point.label:28}{point.value:.4f}  {point.difference.mean:+.4f}"
            print(json.dumps(point.row()) if arguments.json else plain, flush=True)


def latest(path: Path) -> list[dict[str, Any]]:
    """The last line of each point that is kept, in the order in which they were first measured."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        found[row["dataset"], row["metric"], row["axis"], row["group"], row["label"]] = row
    return list(found.values())


if __name__ == "__main__":
    main()
