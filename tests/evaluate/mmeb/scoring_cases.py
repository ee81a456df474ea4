"""Small tasks to score, the plain procedure to hold them against, and where the official fixture lies."""

import json
import math
import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ponder.evaluate.mmeb.judged import judge
from ponder.evaluate.mmeb.official import CUTS
from ponder.evaluate.mmeb.parsed import Info

FIXTURE = Path(
    os.environ.get("PONDER_MMEB_FIXTURE")
    or next(
        (
            place
            for parent in Path(__file__).resolve().parents
            if (place := parent.parent / "shared" / "data" / "mmeb_fixture").is_dir()
        ),
        "/nowhere",
    )
)

needs_fixture = pytest.mark.skipif(not FIXTURE.is_dir(), reason="PONDER_MMEB_FIXTURE is not set")


def write_case(folder, queries, pool, names, infos, scope="global"):
    """A CASE_DIR as the contract describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "qry.npy", np.asarray(queries, np.float32))
    np.save(folder / "tgt.npy", np.asarray(pool, np.float32))
    (folder / "cand_ids.json").write_text(json.dumps(names), "utf-8")
    (folder / "info.jsonl").write_text("".join(json.dumps(each) + "\n" for each in infos), "utf-8")
    (folder / "meta.json").write_text(json.dumps({"candidate_scope": scope}), "utf-8")
    return folder


def judged(labels, grades=None):
    return judge(Info((), tuple(labels), None if grades is None else tuple(grades)), "line")


def plain(ranked, labels, grade_of):
    """The metrics of one query by their definitions, one after the other: the slow way to the same."""
    wanted = set(labels)
    found = {}
    for k in CUTS:
        top = ranked[:k]
        right = len(set(top) & wanted)
        precision, recall = right / k, right / len(wanted) if wanted else 1.0
        for family, gain in (("linear", lambda g: g), ("exponential", lambda g: 2**g - 1)):
            ideal = sorted((gain(grade_of[name]) for name in wanted), reverse=True)[:k]
            best = sum(each / math.log2(place + 2) for place, each in enumerate(ideal))
            total = sum(gain(grade_of.get(name, 0)) / math.log2(place + 2) for place, name in enumerate(top))
            found[f"ndcg_{family}@{k}"] = total / best if best else 0.0
        hits = [place for place, name in enumerate(top, 1) if name in wanted]
        found[f"hit@{k}"] = float(bool(hits))
        found[f"precision@{k}"], found[f"recall@{k}"] = precision, recall
        found[f"f1@{k}"] = 2 * precision * recall / (precision + recall) if precision else 0.0
        average = sum(number / place for number, place in enumerate(hits, 1))
        found[f"map@{k}"] = average / min(len(wanted), k) if wanted else 0.0
        found[f"mrr@{k}"] = 1 / hits[0] if hits else 0.0
    return found


def every_outcome(names, scores, labels, grades, pairings):
    """What each order of ties, and each pairing of labels and grades, comes to."""
    rankings = [[]]
    for score in sorted(set(scores), reverse=True):
        # What is no label is all one to the metrics.
        group = [
            name if name in labels else "" for name, each in zip(names, scores, strict=True) if each == score
        ]
        rankings = [before + order for before in rankings for order in _orders(group)]
    pairs = set(permutations(grades)) if pairings else [tuple(grades)]
    return [
        plain(ranking, labels, dict(zip(labels, pair, strict=True))) for ranking in rankings for pair in pairs
    ]


def _orders(group):
    """The different orders of things of which some are the same."""
    if not group:
        return [[]]
    found = []
    for name in sorted(set(group)):
        rest = list(group)
        rest.remove(name)
        found += [[name, *order] for order in _orders(rest)]
    return found
