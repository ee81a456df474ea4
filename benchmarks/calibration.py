"""Judges replaced by noise, by a constant and by their negation: what is lost, calibrated on dev or not.

Each of lite's judges is replaced and calibrated on the set's dev split; the peer is the same cascade with the
judges' scores added at their own weights, as anyone would who trusts them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from harness import ROOT, finish, options

from ponder.cascade import Cascade, Rerank, default_cascade
from ponder.evaluate.beir import load_beir
from ponder.evaluate.calibrating import Judged, calibrate, tried_on
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.settings import Settings
from ponder.index.cache import user_cache
from ponder.models.registry import load
from ponder.rerank.calibration import Calibration
from ponder.testing import SpoiltReranker

METRICS = {"photos": "hit@1", "stamps": "hit@1", "documents": "ndcg@5", "video": "hit@1"}

SPOILT = ("noise", "constant", "negated")

NEAR = 0.01
"""Of plain retrieval's figure."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the sets' folder")
    parser.add_argument("--only", default=",".join(METRICS), help="sets, as in video,stamps")
    parser.add_argument("--budget", type=int, default=1024)
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with user_cache() as cache:
        models = load("lite,calibration=none", cache=cache)
        for name in arguments.only.split(","):
            dataset = load_beir(arguments.data / name)
            corpus = build_corpus(dataset.items, models, cache, Settings())
            for how in SPOILT:
                judged = Judged.of(dataset, _spoilt(corpus, how), default_cascade())
                found[f"{name} {how}"] = _measured(judged, METRICS[name], arguments.budget)
                print(f"{name} {how}: {found[f'{name} {how}']}", flush=True)
    near = [abs(each["plain"] - each["calibrated"]) <= NEAR for each in found.values()]
    finish(
        arguments,
        "calibration",
        ours=fmean(1 - each["calibrated"] for each in found.values()),
        peer=fmean(1 - each["trusted"] for each in found.values()),
        peer_name="the same judges trusted at their own weights",
        unit="1 - main measure, mean over sets and judges",
        checks={f"within {NEAR} of retrieval": all(near)},
        details=found,
    )


def _spoilt(corpus: Corpus, how: Any) -> Corpus:
    judges = {name: SpoiltReranker(judge, how) for name, judge in corpus.models.rerankers.items()}
    return replace(corpus, models=replace(corpus.models, rerankers=judges))


def _measured(judged: Judged, measure: str, budget: int) -> dict[str, Any]:
    known = calibrate([judged], {judged.dataset.name: measure})
    [calibrated] = tried_on(judged, known, measure, [budget])
    [prior] = tried_on(judged, Calibration(()), measure, [budget])
    stages = (replace(s, weight=1.0) if isinstance(s, Rerank) else s for s in judged.cascade.stages)
    trusting = Cascade(tuple(stages))
    [trusted] = tried_on(replace(judged, cascade=trusting), Calibration(()), measure, [budget])
    return {
        "plain": calibrated.plain,
        "calibrated": calibrated.value,
        "by the prior": prior.value,
        "trusted": trusted.value,
        "why": {f"{fit.stage}, {fit.kind}": [fit.weight, fit.why] for fit in known.fits},
    }


if __name__ == "__main__":
    main()
