"""What does each part of the loop pay? Stamps' dev, the retriever alone, three seeds each.

    python benchmarks/ablation.py --pairs FOLDER [--data ../shared/data/stamps]

FOLDER is what `ponder mine DIR --out FOLDER` wrote. In-batch negatives only; mined ones without a filter (the
retriever's nearest that nobody labelled, as a miner without judgement takes them); mined ones behind the
filter; and these with the judge's ranking distilled. Batches of 128 queries, so that seeds matter.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness import finish, options  # type: ignore[import-not-found]

from ponder.cascade import parse_stages
from ponder.cli.console import progress
from ponder.evaluate.beir import Dataset, load_beir
from ponder.evaluate.bootstrap import paired_difference
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.index.cache import user_cache
from ponder.presets.lite import LiteModels
from ponder.protocols import BlobCache
from ponder.train.adapter import AdapterSettings
from ponder.train.adapter_job import AdapterJob, train_adapter
from ponder.train.checkpoints import TrainingFolder
from ponder.train.evaluating import Overlay
from ponder.train.pairs import Pair, read_pairs, write_pairs

SEEDS = (0, 1, 2)
MEASURES = ("hit@1", "hit@10", "ndcg@10")
Columns = dict[str, list[float]]


def unfiltered(pairs: Sequence[Pair]) -> list[Pair]:
    """Every unlabelled candidate as a hard negative, by the retriever's rank."""
    return [replace(pair, decision="hard-negative") for pair in pairs if not pair.grade]


def measured(dataset: Dataset, models: LiteModels, cache: BlobCache) -> Columns:
    """A value a query, of plain retrieval."""
    settings = Settings(budgets=(0,), cascade=parse_stages("retrieve:100"))
    corpus = build_corpus(dataset.items, models, Overlay(cache), settings)
    [run] = run_budgets(dataset, corpus, settings)
    return {name: [each.scores[name] for each in run.outcomes] for name in MEASURES}


def mean_of(runs: Sequence[Columns], name: str) -> list[float]:
    """A query's mean over the seeds."""
    return [statistics.fmean(values) for values in zip(*(run[name] for run in runs), strict=True)]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/stamps"))
    parser.add_argument("--pairs", type=Path, required=True)
    told = parser.parse_args()
    train, dev = (load_beir(told.data, split=split) for split in ("train", "dev"))
    found = list(read_pairs(told.pairs / "pairs"))
    arms: dict[str, tuple[list[Pair] | None, AdapterSettings]] = {
        "in-batch only": (None, AdapterSettings(batch=128)),
        "+ mined anywhere, no filter": (unfiltered(found), AdapterSettings(batch=128, strangers=True)),
        "+ mined anywhere, filtered": (found, AdapterSettings(batch=128, strangers=True)),
        "+ mined, no filter": (unfiltered(found), AdapterSettings(batch=128)),
        "+ mined, filtered": (found, AdapterSettings(batch=128)),
        "+ mined, filtered, distilled": (found, AdapterSettings(batch=128, distil=0.3)),
    }
    results: dict[str, list[Columns]] = {}
    with tempfile.TemporaryDirectory() as made, user_cache() as cache, progress("trainings") as advance:
        before = measured(dev, LiteModels(cache), cache)
        for number, (name, (pairs, settings)) in enumerate(arms.items()):
            file = Path(made) / f"{number}.parquet"
            if pairs is not None:
                write_pairs(file, pairs)
            for seed in SEEDS:
                job = AdapterJob(
                    [train],
                    [None if pairs is None else file],
                    (),
                    LiteModels(cache),
                    cache,
                    replace(settings, seed=seed),
                )
                folder = TrainingFolder(Path(made) / f"{number}-{seed}")
                train_adapter(job, folder, progress)
                models = LiteModels(cache, adapter=str(folder.model))
                results.setdefault(name, []).append(measured(dev, models, cache))
                advance(number * len(SEEDS) + seed + 1, len(arms) * len(SEEDS))
    details: dict[str, object] = {
        "before": {name: round(statistics.fmean(before[name]), 4) for name in MEASURES}
    }
    for name, runs in results.items():
        row = {}
        for measure in MEASURES:
            seeds = [round(statistics.fmean(run[measure]), 4) for run in runs]
            first = paired_difference(mean_of(runs, measure), mean_of(results["in-batch only"], measure))
            row[measure] = {
                "mean": round(statistics.fmean(seeds), 4),
                "seeds": seeds,
                "over in-batch": [round(first.mean, 4), round(first.low, 4), round(first.high, 4)],
            }
        details[name] = row
    means = {name: statistics.fmean(mean_of(runs, "hit@10")) for name, runs in results.items()}
    finish(
        told,
        "ablation",
        ours=1 - means["+ mined, filtered"],
        peer=1 - means["in-batch only"],
        peer_name="in-batch negatives only",
        unit="1 - hit@10 on stamps' dev",
        checks={
            "filtered is not below unfiltered": means["+ mined, filtered"] >= means["+ mined, no filter"]
        },
        details=details,
        packages=("torch",),
    )


if __name__ == "__main__":
    main()
