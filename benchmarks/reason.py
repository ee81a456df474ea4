"""Writing reasoning about 256 items of mixed length, with SmolLM2's real weights.

The peer is transformers' continuous batching (`generate_batch`); beside it, `generate` in fixed batches, as
most scripts do. All read the same prompts, write greedily and stop at the same marks and limit.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import torch
from harness import finish, options
from transformers import ContinuousBatchingConfig, GenerationConfig

from ponder.models import weights
from ponder.models.engine import Effort, Prompt, Turn
from ponder.models.lite.wordnet import knowledge
from ponder.models.local.engine import LocalEngine
from ponder.models.local.settings import LocalSettings
from ponder.models.local.writing import Task, write

ITEMS, ANSWER = 256, 64
FIXED = 16
"""Prompts in a fixed batch; the best of 8, 16 and 32 in a trial on two cores."""

SYSTEM = "You write a note about an item for a search index: what it is, what it is for, in other words."


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", default="", help="a chat model's folder; SmolLM2 unless told")
    parser.add_argument("--items", type=int, default=ITEMS)
    arguments = parser.parse_args()
    engine = LocalEngine(LocalSettings(arguments.model or str(weights.ensure("smollm2")), dtype="float32"))
    prompts = made(arguments.items)
    tasks = [Task(engine.renderer.render(prompt)) for prompt in prompts]
    ids = [list(task.rendered.ids) for task in tasks]
    effort = Effort(answer=ANSWER)

    def ours() -> list[str]:
        return [each.text for each in write(engine.loaded, tasks, effort, lambda pictures: {})]

    sides: dict[str, Callable[[], list[str]]] = {
        "ours": ours,
        "fixed": lambda: fixed(engine, ids),
        "continuous": lambda: continuous(engine, ids),
    }
    write(engine.loaded, tasks[:2], Effort(answer=2), lambda pictures: {})
    seconds, texts = {}, {}
    for name, run in sides.items():
        began = time.perf_counter()
        texts[name] = run()
        seconds[name] = time.perf_counter() - began
    alike = {
        name: sum(a == b for a, b in zip(texts["ours"], texts[name], strict=True)) / len(prompts)
        for name in ("fixed", "continuous")
    }
    words = {name: sum(len(engine.renderer.words(text)) for text in some) for name, some in texts.items()}
    finish(
        arguments,
        "reason",
        ours=seconds["ours"],
        peer=seconds["continuous"],
        peer_name="transformers' continuous batching (generate_batch)",
        unit=f"seconds for {len(prompts)} items",
        checks={
            "as fast as continuous batching": seconds["continuous"] >= seconds["ours"],
            "1.5x fixed batches": seconds["fixed"] >= 1.5 * seconds["ours"],
            # Greedy writing parts for good where two tokens are as likely but for rounding.
            "95 of 100 texts are those of fixed batches": alike["fixed"] >= 0.95,
        },
        details={
            "seconds": {name: round(each, 2) for name, each in seconds.items()},
            "prompt_tokens": [min(map(len, ids)), sum(map(len, ids)), max(map(len, ids))],
            "written": words,
            "alike": {name: round(each, 3) for name, each in alike.items()},
            "device": str(engine.loaded.device),
        },
        packages=("torch", "transformers"),
    )


def made(count: int) -> list[Prompt]:
    """Notes to write about things of 5 to 200 words: names, glosses, or some of them."""
    glosses = [f"{entry.name}: {entry.synset.gloss}." for entry in knowledge()]
    draw = random.Random(0)
    texts = [" ".join(draw.sample(glosses, draw.choice((1, 1, 1, 2, 4, 8)))) for _ in range(count)]
    return [Prompt((Turn("system", (SYSTEM,)), Turn("user", (text,)))) for text in texts]


def fixed(engine: LocalEngine, ids: list[list[int]]) -> list[str]:
    """`generate`, padded on the left, in the order of the items."""
    loaded = engine.loaded
    pad = loaded.tokenizer.pad_token_id or 0
    texts: list[str] = []
    for start in range(0, len(ids), FIXED):
        some = ids[start : start + FIXED]
        widest = max(map(len, some))
        rows = torch.tensor([[pad] * (widest - len(row)) + row for row in some], device=loaded.device)
        seen = [[0] * (widest - len(row)) + [1] * len(row) for row in some]
        mask = torch.tensor(seen, device=loaded.device)
        with torch.inference_mode():
            out = loaded.model.generate(rows, attention_mask=mask, generation_config=settings(loaded))
        texts += [text_of(loaded, row[widest:].tolist()) for row in out]
    return texts


def continuous(engine: LocalEngine, ids: list[list[int]]) -> list[str]:
    """The peer, with pages and a batch that suit this machine's memory."""
    loaded = engine.loaded
    how = None
    if loaded.device.type == "cpu":
        how = ContinuousBatchingConfig(page_size=32, num_blocks=2048, max_batch_tokens=1024)
    # Not in inference mode: its own thread writes into tensors that are made here.
    out = loaded.model.generate_batch(
        inputs=ids, generation_config=settings(loaded), continuous_batching_config=how
    )
    if len(out) != len(ids) or any(each.error for each in out.values()):
        raise SystemExit(f"error: continuous batching answered {len(out)} of {len(ids)} prompts")
    found = sorted(out.values(), key=lambda each: int(each.request_id.rpartition("_")[2]))
    return [text_of(loaded, each.generated_tokens) for each in found]


def settings(loaded: Any) -> GenerationConfig:
    """Greedy, with the limit and the marks of ours."""
    return GenerationConfig(
        max_new_tokens=ANSWER,
        do_sample=False,
        eos_token_id=sorted(loaded.ends),
        pad_token_id=loaded.tokenizer.pad_token_id or 0,
    )


def text_of(loaded: Any, ids: list[int]) -> str:
    """The words before an end mark."""
    kept = next((ids[:i] for i, token in enumerate(ids) if token in loaded.ends), ids)
    return str(loaded.tokenizer.decode(kept, skip_special_tokens=True)).strip()


if __name__ == "__main__":
    main()
