"""Scoring a task of MMEB-V2 from embeddings: ponder against the plain official procedure.

    OMP_NUM_THREADS=1 python benchmarks/mmeb_scoring.py [--queries 10000] [--candidates 100000] [--dim 384]

The peer is the official procedure written anew from its description: the whole matrix of scores, a full
argsort of each row, the list of all names in that order for each query, and 24 metrics in Python over the
first of them. For all queries at once it would hold the matrix, its negative, the order as int64 and the
names: `whole_peer_gb`. So it is timed on a share of the queries (``--share``) and scaled; its memory is that
of the share. Each runs in a fresh process from files to figures; imports are not counted. Memory is the
process' greatest resident set. `peer_without_names` leaves the lists of names out, which the official files
hold.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import finish, options, run  # type: ignore[import-not-found]

SEED, CUTS = 5, (1, 5, 10)


def make(folder: Path, queries: int, candidates: int, dim: int) -> None:
    """Unit vectors; a query lies near its first label, and has up to three."""
    rng = np.random.default_rng(SEED)
    pool = rng.normal(size=(candidates, dim)).astype(np.float32)
    pool /= np.linalg.norm(pool, axis=1, keepdims=True)
    gold = rng.integers(0, candidates, size=(queries, 3))
    noise = rng.normal(size=(queries, dim)).astype(np.float32)
    asked = pool[gold[:, 0]] + noise * rng.uniform(0.05, 0.35, size=(queries, 1)).astype(np.float32)
    np.save(folder / "tgt.npy", pool)
    np.save(folder / "qry.npy", asked / np.linalg.norm(asked, axis=1, keepdims=True))
    names = [f"pages/{place:06d}.png" for place in range(candidates)]
    (folder / "cand_ids.json").write_text(json.dumps(names))
    with (folder / "info.jsonl").open("w") as file:
        for row, several in enumerate(gold.tolist()):
            labels = list(dict.fromkeys(names[place] for place in several[: 1 + row % 3]))
            fields = {"cand_names": labels, "label_name": labels, "rel_scores": [1] * len(labels)}
            file.write(json.dumps(fields) + "\n")
    (folder / "meta.json").write_text(json.dumps({"candidate_scope": "global"}))


def ours(folder: Path, share: int) -> None:
    """As ``ponder mmeb score`` does it."""
    from ponder.evaluate.mmeb.case import read_case
    from ponder.evaluate.mmeb.score import score

    began = time.perf_counter()
    case = read_case(folder)
    scored = score(case.ranked(), case.judged)
    seconds = time.perf_counter() - began
    rows = {name: values[:share].tolist() for name, values in scored.by_query.items()}
    _told({"seconds": seconds, "ambiguous": len(scored.ambiguous)}, folder / "ours.json", rows)


def peer(folder: Path, share: int) -> None:
    """The plain procedure, on the first queries."""
    began = time.perf_counter()
    names = json.loads((folder / "cand_ids.json").read_text())
    pool = np.load(folder / "tgt.npy")
    asked = np.load(folder / "qry.npy")[:share]
    with (folder / "info.jsonl").open() as file:
        infos = [json.loads(line) for _, line in zip(range(share), file, strict=False)]
    # Reading the pool is not a matter of each query, and is not scaled.
    read = time.perf_counter() - began
    began = time.perf_counter()
    scores = np.dot(asked, pool.T)
    matrix = time.perf_counter() - began
    began = time.perf_counter()
    order = np.argsort(-scores, axis=1)
    sort = time.perf_counter() - began
    began = time.perf_counter()
    predictions = [[names[place] for place in row] for row in order]
    listing = time.perf_counter() - began
    began = time.perf_counter()
    found = [
        plain_metrics(ranked, info["label_name"], info["rel_scores"])
        for ranked, info in zip(predictions, infos, strict=True)
    ]
    metrics = time.perf_counter() - began
    parts = {"read": read, "matrix": matrix, "argsort": sort, "names": listing, "metrics": metrics}
    rows = {name: [each[name] for each in found] for name in found[0]}
    _told(parts, folder / "peer.json", rows)


def plain_metrics(ranked: list[str], labels: list[str], grades: list[float]) -> dict[str, float]:
    """The 24 metrics of one query, one after the other."""
    wanted = set(labels)
    grade = dict(zip(wanted, grades, strict=True))
    found = {}
    for k in CUTS:
        top = ranked[:k]
        right = len(set(top) & wanted)
        found[f"hit@{k}"] = 1.0 if any(name in wanted for name in top) else 0.0
        for family in ("linear", "exponential"):
            gains = [_gain(grade.get(name, 0.0), family) for name in top]
            ideal = sorted((_gain(each, family) for each in grades), reverse=True)[:k]
            best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
            total = sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))
            found[f"ndcg_{family}@{k}"] = total / best if best else 0.0
        precision, recall = right / k, right / len(wanted)
        found[f"precision@{k}"], found[f"recall@{k}"] = precision, recall
        found[f"f1@{k}"] = 2 * precision * recall / (precision + recall) if right else 0.0
        hits, total = 0, 0.0
        for place, name in enumerate(top, 1):
            if name in wanted:
                hits += 1
                total += hits / place
        found[f"map@{k}"] = total / min(len(wanted), k)
        first = next((place for place, name in enumerate(top, 1) if name in wanted), 0)
        found[f"mrr@{k}"] = 1 / first if first else 0.0
    return found


def _gain(grade: float, family: str) -> float:
    return grade if family == "linear" else 2**grade - 1


def _told(figures: dict[str, float], path: Path, rows: dict[str, list[float]]) -> None:
    path.write_text(json.dumps(rows))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**figures, "peak_mb": peak}), flush=True)


def _child(which: str, folder: Path, share: int) -> dict[str, float]:
    told = run([sys.executable, __file__, "--child", which, "--folder", str(folder), "--share", str(share)])
    return dict(json.loads(told.strip().splitlines()[-1]))


def main() -> None:
    """Make the data, score with both, compare."""
    parser = options(__doc__)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--share", type=int, default=500, help="queries that the peer is timed on")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--child", choices=["make", "ours", "peer"])
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    size = (arguments.queries, arguments.candidates, arguments.dim)
    if arguments.child == "make":
        make(arguments.folder, *size)
        return
    if arguments.child:
        (ours if arguments.child == "ours" else peer)(arguments.folder, arguments.share)
        return
    share = min(arguments.share, arguments.queries)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        # Not in this process: a child's greatest resident set begins with its parent's.
        told = [f"--{key}={value}" for key, value in zip(("queries", "candidates", "dim"), size, strict=True)]
        run([sys.executable, __file__, "--child", "make", "--folder", str(folder), *told])
        load, mine, theirs = [], [], []
        for _ in range(arguments.repeat):
            load.append(round(os.getloadavg()[0], 1))
            mine.append(_child("ours", folder, share))
            theirs.append(_child("peer", folder, share))
        left, right = (json.loads((folder / f"{each}.json").read_text()) for each in ("ours", "peer"))
    gap = max(abs(a - b) for each in right for a, b in zip(left[each], right[each], strict=True))
    # Other programs only ever add to a time.
    best, plain = (
        {key: min(each[key] for each in several) for key in several[0]} for several in (mine, theirs)
    )
    scale = arguments.queries / share
    timed = {key: plain[key] for key in ("matrix", "argsort", "names", "metrics")}
    whole = plain["read"] + scale * sum(timed.values())
    cells = arguments.queries * arguments.candidates
    finish(
        arguments,
        "mmeb_scoring",
        ours=best["seconds"],
        peer=whole,
        peer_name="the official procedure: full matrix, full argsort, names, metrics in Python"
        + (f"; timed on {share} of {arguments.queries} queries and scaled" if scale > 1 else ""),
        unit="s",
        checks={
            "at least 20 times as fast": whole >= 20 * best["seconds"],
            "the same figures of each query": gap < 1e-9 and set(left) == set(right),
            "memory below a quarter of the matrix": best["peak_mb"] * 2**20 < cells * 4 / 4,
        },
        details={
            **dict(zip(("queries", "candidates", "dim"), size, strict=True)),
            "peer_timed_queries": share,
            "peer_seconds_on_share": {
                key: round(value, 3) for key, value in plain.items() if key != "peak_mb"
            },
            "peer_without_names": round(plain["read"] + scale * (sum(timed.values()) - timed["names"]), 2),
            "peak_mb": round(best["peak_mb"]),
            "peer_peak_mb_on_share": round(plain["peak_mb"]),
            "whole_peer_gb": round(cells * (4 + 4 + 8 + 8) / 2**30, 1),
            "greatest_difference": gap,
            "seconds": [round(each["seconds"], 2) for each in mine],
            "load": load,
        },
        packages=("numpy",),
    )


if __name__ == "__main__":
    main()
