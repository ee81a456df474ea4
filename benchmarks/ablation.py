"""What does each part of the loop pay? Stamps' dev, the retriever alone, three seeds each.

    python benchmarks/ablation.py --pairs FOLDER [--data ../shared/data/stamps]

FOLDER is what `ponder mine DIR --out FOLDER` wrote. In-batch negatives only; mined ones without a filter (the
retriever's nearest that nobody labelled, as a miner without judgement takes them); what the filter spares and
no mined ones; mined ones behind the filter; and these with the judge's ranking distilled. "Anywhere" takes
negatives that answer no training query too. Batches of 128 queries, so that seeds matter. Labels are as they
are, but for the last two, which average that with a map of softened ones as `ponder train adapter` does.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from harness import finish, options  # type: ignore[import-not-found]
from numpy.typing import NDArray

from ponder.cli.console import progress
from ponder.embed.lite import meaning_of, with_learned
from ponder.evaluate.beir import Dataset, load_beir
from ponder.evaluate.bootstrap import paired_difference
from ponder.evaluate.metrics import scores_of
from ponder.index.cache import user_cache
from ponder.presets.lite import LiteModels
from ponder.protocols import BlobCache
from ponder.train.adapter import AdapterSettings, fit_adapter
from ponder.train.examples import examples_of
from ponder.train.pairs import Pair, read_pairs
from ponder.train.pictures import Pictures, classes_of, pictures_of

SEEDS = (0, 1, 2)
MEASURES = ("hit@1", "hit@10", "ndcg@10")
Columns = dict[str, list[float]]


def unfiltered(pairs: Sequence[Pair]) -> list[Pair]:
    """Every unlabelled candidate as a hard negative, by the retriever's rank."""
    return [replace(pair, decision="hard-negative") for pair in pairs if not pair.grade]


def masks(pairs: Sequence[Pair]) -> list[Pair]:
    """What the filter spares, without what it hands on."""
    return [pair for pair in pairs if pair.decision in ("false-negative", "near-duplicate")]


def everything(dataset: Dataset, lite: LiteModels, cache: BlobCache) -> Pictures:
    """The split's queries, and all documents of the corpus."""
    first, *rest = examples_of(dataset).kept
    others = tuple(item for item in dataset.items if item not in first.positives)
    return pictures_of(
        [replace(first, negatives=others), *rest], lite, cache, negatives=len(others), strangers=True
    )


def measured(dev: Pictures, grid: NDArray[np.float32], mean: NDArray[np.float32]) -> Columns:
    """A value a query, of plain retrieval over the documents' whole rows."""
    asked = dev.queries[:, : dev.meanings.shape[1]]
    one = np.zeros(dev.vectors.shape[1], np.float32)
    one[0] = 1.0
    scale = meaning_of(one)[0]
    learned = with_learned(dev.meanings, (dev.looks - mean) @ grid)
    scores = dev.queries @ dev.vectors.T + asked @ (learned - dev.meanings).T / scale
    columns: Columns = {name: [] for name in MEASURES}
    for row, known in zip(scores, dev.positives, strict=True):
        ranked = [dev.documents[place] for place in np.argsort(-row, kind="stable")]
        got = scores_of(ranked, {dev.documents[place]: 1 for place in known})
        for name in MEASURES:
            columns[name].append(got[name])
    return columns


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
    hard = AdapterSettings(batch=128, akin=(0.0,))
    arms: dict[str, tuple[list[Pair] | None, AdapterSettings]] = {
        "in-batch only": (None, hard),
        "+ mined anywhere, no filter": (unfiltered(found), replace(hard, strangers=True)),
        "+ mined anywhere, filtered": (found, replace(hard, strangers=True)),
        "+ mined, no filter": (unfiltered(found), hard),
        "+ the filter's masks alone": (masks(found), hard),
        "+ mined, filtered": (found, hard),
        "+ mined, filtered, distilled": (found, replace(hard, distil=0.3)),
        "in-batch only, the default": (None, AdapterSettings(batch=128)),
        "+ mined, filtered, the default": (found, AdapterSettings(batch=128)),
    }
    results: dict[str, list[Columns]] = {}
    with user_cache() as cache, progress("trainings") as advance:
        lite = LiteModels(cache)
        asked = everything(dev, lite, cache)
        nothing = np.zeros((asked.looks.shape[1], asked.meanings.shape[1]), np.float32)
        before = measured(asked, nothing, nothing[:, 0])
        for number, (name, (pairs, settings)) in enumerate(arms.items()):
            examples = examples_of(train, pairs or (), suspects=True).kept
            shown = pictures_of(
                examples, lite, cache, negatives=settings.negatives, strangers=settings.strangers
            )
            classes = classes_of(lite.sight, shown.features)
            for seed in SEEDS:
                grid, mean = fit_adapter(shown, classes, replace(settings, seed=seed))
                results.setdefault(name, []).append(measured(asked, grid, mean))
                advance(number * len(SEEDS) + seed + 1, len(arms) * len(SEEDS))
    details: dict[str, object] = {
        "before": {name: round(statistics.fmean(before[name]), 4) for name in MEASURES}
    }
    for name, runs in results.items():
        row: dict[str, dict[str, object]] = {}
        for measure in MEASURES:
            seeds = [round(statistics.fmean(run[measure]), 4) for run in runs]
            beside = {"over in-batch": "in-batch only"}
            if "mined" in name:
                beside["over unfiltered"] = f"{name.partition(',')[0]}, no filter"
            row[measure] = {"mean": round(statistics.fmean(seeds), 4), "seeds": seeds}
            for key, other in beside.items():
                apart = paired_difference(mean_of(runs, measure), mean_of(results[other], measure))
                row[measure][key] = [round(each, 4) for each in (apart.mean, apart.low, apart.high)]
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
