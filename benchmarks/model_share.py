"""What the cascade takes beside a real model: a search with 100 judged candidates, SmolLM2's real weights.

The peer is what one would write by hand: the same prompts, put to the same engine in one call. What is not
the model's is all but the engine's `answer`: reading prices beforehand, budget, ledger, fusion, trace.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from harness import finish, options

from ponder.cascade import Rerank, Retrieve
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.models import weights
from ponder.models.engine import Likely, Prompt
from ponder.models.lite.wordnet import knowledge
from ponder.models.local.engine import LocalEngine
from ponder.models.local.settings import LocalSettings
from ponder.records import Candidate, Query
from ponder.rerank.pointwise import PointwiseJudge
from ponder.rerank.showing import ShowReasoning
from ponder.rerank.yes_no import YesNo
from ponder.testing import FakeModels, FakeShelf

CANDIDATES, ROUNDS = 100, 3
MOST = 0.05
QUERY = "an instrument that is played sitting down, with a bow, and is larger than a violin"


class Timed(LocalEngine):
    """Knows how long its model has worked."""

    spent = 0.0

    def answer(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Likely]:
        """As the engine's own."""
        began = time.perf_counter()
        try:
            return super().answer(prompts, answers)
        finally:
            self.spent += time.perf_counter() - began


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", default="", help="a chat model's folder; SmolLM2 unless told")
    arguments = parser.parse_args()
    folder = arguments.model or str(weights.ensure("smollm2"))
    engine = Timed(LocalSettings(folder, dtype="float32"))
    judge = PointwiseJudge("ecr", engine, YesNo(), ShowReasoning())
    models = FakeModels()
    models.rerankers["ecr"] = judge
    glosses = [f"{entry.name}: {entry.synset.gloss}." for entry in knowledge()[:CANDIDATES]]
    shelf = FakeShelf(glosses, models)
    cascade = (Retrieve(CANDIDATES) >> Rerank("ecr", keep=CANDIDATES)).on(shelf)
    query = open_query(Query(text=QUERY), Limits())
    [vector] = models.embedder.embed_queries([query], [None])
    rows = shelf.index.get([match.id for match in shelf.index.search(vector, CANDIDATES)])
    candidates = [Candidate(row, "", 0.0, rank) for rank, row in enumerate(rows, 1)]
    prompts = judge.prompts(query, candidates)

    def searched() -> tuple[float, float, Any]:
        engine.spent = 0.0
        began = time.perf_counter()
        ranking = cascade(QUERY, budget=10**6, k=CANDIDATES)
        return time.perf_counter() - began, engine.spent, ranking

    def by_hand() -> float:
        began = time.perf_counter()
        engine.answer(prompts, YesNo().answers)
        return time.perf_counter() - began

    searched()
    runs = [(searched(), by_hand()) for _ in range(ROUNDS)]
    whole = median(run[0][0] for run in runs)
    beside = median((run[0][0] - run[0][1]) / run[0][1] for run in runs)
    judged = sum(stage.name == "ecr" for hit in runs[0][0][2].hits for stage in hit.stages)
    finish(
        arguments,
        "model_share",
        ours=whole,
        peer=median(run[1] for run in runs),
        peer_name="the same prompts in one call of the engine, by hand",
        unit=f"seconds for a search with {CANDIDATES} judged candidates, median",
        limit_share=beside / MOST,
        checks={f"at most {MOST:.0%} beside the model": beside <= MOST, "all judged": judged == CANDIDATES},
        details={
            "beside_the_model": round(beside, 4),
            "tokens": runs[0][0][2].usage.spent,
            "device": str(engine.loaded.device),
        },
        packages=("torch", "transformers"),
    )


if __name__ == "__main__":
    main()
