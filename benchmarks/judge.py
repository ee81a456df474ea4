"""Judging with a chat model: 100 candidates of one query, with SmolLM2's real weights.

System, instruction and query are 420 tokens that all share, a candidate is 60 or so. The peer is
sentence-transformers' CrossEncoder with the same prompts and the same score. The limit is what cannot be
avoided: the beginning read once, and the candidates alone read behind nothing, in our fastest batch.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from harness import finish, options
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.cross_encoder.modules import LogitScore

from ponder.models import weights
from ponder.models.engine import Prompt
from ponder.models.lite.wordnet import knowledge
from ponder.models.local.engine import LocalEngine
from ponder.models.local.rendering import Rendered
from ponder.models.local.scoring import Ask, score, shared_length
from ponder.models.local.settings import LocalSettings
from ponder.rerank.showing import Shown
from ponder.rerank.yes_no import YesNo

CANDIDATES, SHARED, OWN = 100, 420, 60
ROUNDS = 3
BATCHES = (1, 4, 16)
ALONE = 10
"""Candidates that are scored one by one, to compare."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", default="", help="a chat model's folder; SmolLM2 unless told")
    parser.add_argument("--rows", default="512,1024,2048", help="tokens a row to try")
    arguments = parser.parse_args()
    engine = LocalEngine(LocalSettings(arguments.model or str(weights.ensure("smollm2")), dtype="float32"))
    prompts = made(engine)
    rendered = [engine.renderer.render(prompt) for prompt in prompts]
    shared = shared_length(rendered)
    answers = (engine.token("yes"), engine.token("no"))
    asks = [Ask(each, answers=answers) for each in rendered]
    own = [Ask(Rendered(each.ids[shared:]), answers=answers) for each in rendered]
    start = [Ask(Rendered(rendered[0].ids[:shared]), answers=answers)]
    rows = [int(row) for row in arguments.rows.split(",")]
    encoder = cross_encoder(engine, answers)
    trials = {batch: timed(lambda b=batch: predicted(encoder, prompts[:16], b))[0] for batch in BATCHES}
    batch = min(trials, key=trials.__getitem__)
    sides: dict[str, Callable[[], Any]] = {
        "ours": lambda: [each.values for each in score(engine.loaded, asks, nothing)],
        "prefix": lambda: score(engine.loaded, start, nothing),
        # The settings' row is what users get; the limit may take the best of them.
        **{
            f"own, row {row}": lambda row=row: score(engine.loaded, own, nothing, share=False, row=row)
            for row in sorted({*rows, engine.loaded.settings.row})
        },
    }
    score(engine.loaded, asks[:4], nothing)
    runs = [{name: timed(run) for name, run in sides.items()} for _ in range(ROUNDS)]
    middle = {name: median(run[name][0] for run in runs) for name in sides}
    limit = middle["prefix"] + min(middle[name] for name in sides if name.startswith("own"))
    ours = runs[0]["ours"][1]
    middle["peer"], theirs = timed(lambda: predicted(encoder, prompts, batch))
    alone = [score(engine.loaded, [ask], nothing)[0].values for ask in asks[:: CANDIDATES // ALONE]]
    differ = [yes - no for yes, no in ours]
    apart = max(
        abs(a - (yes - no)) for a, (yes, no) in zip(differ[:: CANDIDATES // ALONE], alone, strict=True)
    )
    apart_peer = max(abs(a - b) for a, b in zip(differ, theirs, strict=True))
    finish(
        arguments,
        "judge",
        ours=middle["ours"],
        peer=middle["peer"],
        peer_name="sentence-transformers' CrossEncoder, LogitScore, best batch size",
        unit=f"seconds for {CANDIDATES} candidates, median",
        limit_share=limit / middle["ours"],
        checks={
            "3x the CrossEncoder": middle["peer"] >= 3 * middle["ours"],
            "60 % of the limit": limit >= 0.6 * middle["ours"],
            "scores within 1e-4 of one by one": apart <= 1e-4,
            "scores within 1e-4 of the CrossEncoder's": apart_peer <= 1e-4,
        },
        details={
            "shared_tokens": shared,
            "own_tokens": round(sum(len(each.ids) - shared for each in rendered) / len(rendered), 1),
            "seconds": {name: round(each, 4) for name, each in middle.items()},
            "peer_batches": {str(size): round(each, 3) for size, each in trials.items()},
            "apart": apart,
            "apart_from_peer": apart_peer,
            "device": str(engine.loaded.device),
        },
        packages=("torch", "transformers", "sentence-transformers"),
    )


def nothing(pictures: Any) -> dict[str, Any]:
    """No prompt here has pictures."""
    return {}


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of them."""
    began = time.perf_counter()
    found = run()
    return time.perf_counter() - began, found


def made(engine: LocalEngine) -> list[Prompt]:
    """Prompts of the judge's own format, of the length that was asked for."""
    glosses = [f"{entry.name}: {entry.synset.gloss}." for entry in knowledge()]
    random.Random(0).shuffle(glosses)

    def words(tokens: int, some: list[str]) -> str:
        text = ""
        while len(engine.renderer.words(text)) < tokens:
            text += some.pop() + " "
        return text

    question = YesNo()
    bare = engine.prices([question.prompt(Shown(text="a"), "", Shown(text="b"), "")])[0]
    asked = Shown(text=words(SHARED - bare, glosses))
    lengths = random.Random(1)
    return [
        question.prompt(
            asked, "", Shown(text=words(lengths.randint(OWN - 35, OWN + 5), glosses[number * 6 :][:12])), ""
        )
        for number in range(CANDIDATES)
    ]


def cross_encoder(engine: LocalEngine, answers: tuple[int, int]) -> CrossEncoder:
    """The same weights, and the same score."""
    folder = engine.loaded.settings.model
    reads = Transformer(
        folder,
        transformer_task="text-generation",
        processing_kwargs={"chat_template": {"add_generation_prompt": True}},
    )
    return CrossEncoder(modules=[reads, LogitScore(*answers)], device=str(engine.loaded.device))


def predicted(encoder: CrossEncoder, prompts: list[Prompt], batch: int) -> list[float]:
    """Differences of the logits of yes and no, by the peer."""
    messages = [
        [{"role": turn.role, "content": "".join(map(str, turn.parts))} for turn in prompt.turns]
        for prompt in prompts
    ]
    scores = encoder.predict(
        messages, batch_size=batch, activation_fn=torch.nn.Identity(), show_progress_bar=False
    )
    return [float(score) for score in scores]


if __name__ == "__main__":
    main()
