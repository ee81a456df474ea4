"""A common budget against one for each query: hit@1 at equal mean tokens, paired.

    python benchmarks/pool.py DIR… [--budget 64,128,256] [--weight 1]

Adaptive both times, `lite`, dev. ``--weight`` takes the place of calibrated weights in both judging stages.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from ponder.cascade import Cascade, Rerank, default_cascade
from ponder.evaluate.beir import load_beir
from ponder.evaluate.bootstrap import paired_difference
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.retrieval import BudgetRun, run_budgets
from ponder.evaluate.settings import Settings
from ponder.index.cache import user_cache
from ponder.models.registry import load


def main() -> None:
    """Print a JSON line a set and budget."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--budget", default="64,128,256")
    parser.add_argument("--weight", type=float)
    asked = parser.parse_args()
    settings = Settings(
        budgets=tuple(int(part) for part in asked.budget.split(",")),
        cascade=weighed(asked.weight),
        allocate="adaptive",
    )
    with user_cache() as cache:
        models = load("lite", cache=cache)
        for folder in asked.sets:
            dataset = load_beir(folder, split="dev")
            corpus = build_corpus(dataset.items, models, cache, settings)
            each = run_budgets(dataset, corpus, settings)
            common = run_budgets(dataset, corpus, replace(settings, pool="common"))
            for own, shared in zip(each, common, strict=True):
                print(json.dumps(compared(dataset.name, own, shared)), flush=True)


def weighed(weight: float | None) -> Cascade:
    """The default cascade, its judges weighed so."""
    stages = default_cascade().stages
    return Cascade(tuple(replace(s, weight=weight) if isinstance(s, Rerank) else s for s in stages))


def compared(name: str, own: BudgetRun, shared: BudgetRun) -> dict[str, object]:
    """One line: both figures, their tokens, and the paired difference."""
    runs = {"each": own, "common": shared}
    hits = {way: [each.scores["hit@1"] for each in run.outcomes] for way, run in runs.items()}
    spent = {way: [each.ranking.usage.spent for each in run.outcomes] for way, run in runs.items()}
    found = paired_difference(hits["common"], hits["each"])
    return {
        "dataset": name,
        "budget": own.budget,
        "queries": len(hits["each"]),
        **{f"hit@1 {way}": round(sum(values) / len(values), 4) for way, values in hits.items()},
        **{f"tokens {way}": round(sum(values) / len(values), 1) for way, values in spent.items()},
        "most of one query": max(spent["common"]),
        "difference": [round(value, 4) for value in (found.mean, found.low, found.high)],
    }


if __name__ == "__main__":
    main()
