"""Tokens that adaptive allocation needs for uniform's best figure, on the dev splits; by `ponder scale`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness import PONDER, ROOT, finish, options, run

METRICS = {"photos": "hit@1", "stamps": "hit@1", "documents": "ndcg@5", "video": "hit@1"}

ASKED = 0.5
"""Of uniform's tokens, at most, on at least three sets."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the sets' folder")
    parser.add_argument("--only", default=",".join(METRICS), help="sets, as in video,stamps")
    parser.add_argument("--budget", default="0,64,256,1024,4096")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "adaptive", help="where runs are kept")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - METRICS.keys():
        parser.error(f"unknown sets {', '.join(sorted(unknown))}; known: {', '.join(METRICS)}")
    found = {name: measure(name, arguments) for name in chosen}
    reached = [each for each in found.values() if each["adaptive"] is not None]
    if not reached:
        parser.exit(1, "adaptive reaches uniform's best on none of the sets\n")
    halved = [each for each in reached if each["adaptive"] <= ASKED * each["uniform"]]
    finish(
        arguments,
        "adaptive",
        ours=sum(each["adaptive"] for each in reached) / len(reached),
        peer=sum(each["uniform"] for each in reached) / len(reached),
        peer_name="uniform allocation, at its smallest budget with its best figure; sets where it is reached",
        unit="tokens a query, mean",
        checks={"half of uniform's tokens on three sets": len(halved) >= 3},
        details=found,
    )


def measure(name: str, arguments: Any) -> dict[str, float | None]:
    """`Curve.tokens_to_best` of one set."""
    out = arguments.work / name
    ladder = ["--budget", arguments.budget, "--reasoning", "on", "--metric", METRICS[name]]
    run([PONDER, "scale", arguments.data / name, "--out", out, *ladder, "--json"], codes=(0, 7))
    curve = json.loads((out / "curve.json").read_text("utf-8"))
    return dict(curve["tokens_to_best"])


if __name__ == "__main__":
    main()
