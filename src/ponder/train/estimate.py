"""What a training will take: steps, tokens, memory and time, from the data and the model's configuration.

Memory, in bytes, on one device:

- weights: parameters x their width (4 in float32; 2 where LoRA is trained in bfloat16);
- training: trained parameters x (4 for the gradient + 8 for AdamW's two moments);
- activations of one mini-batch: tokens x layers x (12 hidden + 4 intermediate) x width, what a block of
  attention and feed-forward keeps for its backward pass with fused attention; 3 intermediate where only an
  adapter is trained. Counted on Qwen3-VL's language model and on BERT, whose dropout keeps a tenth more. With
  checkpointing one hidden state a layer, and one block in full. GradCache holds no other graph: the batch's
  size is not in it. A frozen eye keeps nothing;
- batch: vectors and their gradients, the matrix of cosines four times over, and all pictures' pixels.

Time, in floating point operations: 2 x parameters x tokens for a forward pass. GradCache makes two; a
backward pass is two more, or one where only an adapter is trained; checkpointing makes one more. The eye
goes forward twice. Word embeddings are looked up, not multiplied. Attention's own products are left out:
below 2000 tokens they are small. What Python and its libraries take besides is not in it, some 1 GB.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ponder.models.sentence import having
from ponder.train.base import Base
from ponder.train.batching import Costs
from ponder.train.prepared import Prepared
from ponder.train.settings import EmbedderSettings

EFFICIENCY = 0.4
"""Share of a large matrix product's rate that training reaches; the usual figure of well-run trainings."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's size, found from its configuration.

    Attributes:
        parameters: All of them.
        language: Those that every token is multiplied with.
        eye: Those that pictures' patches are multiplied with.
        layers, hidden, intermediate: Of the language model.
        targets: Sum of inputs' and outputs' widths over the layers that LoRA goes on.
        patch: Numbers in a picture's patch, times patches a token; 0 for a model that does not see.
        merged: Patches a token.
    """

    parameters: int
    language: int
    eye: int
    layers: int
    hidden: int
    intermediate: int
    targets: int
    patch: int
    merged: int

    def trained(self, settings: EmbedderSettings, *, lora: bool) -> int:
        """Parameters that are trained."""
        return settings.rank * self.targets if lora else self.parameters


@dataclass(frozen=True, slots=True)
class Estimate:
    """See the module's text.

    Attributes:
        examples: Rows: a query with a positive.
        queries, documents: Distinct ones.
        unreasoned: Documents that have to be reasoned about first; that time is not in `seconds`.
        steps: In all epochs.
        tokens: That are embedded in all epochs, each once.
        longest: Of one document.
        trained: Parameters.
        memory: Bytes by what they are for.
        seconds: On a machine of `tflops`.
        tflops: 10^12 operations a second that were reckoned with.
    """

    examples: int
    queries: int
    documents: int
    unreasoned: int
    steps: int
    tokens: int
    longest: int
    trained: int
    memory: dict[str, int]
    seconds: float
    tflops: float


def shape_of(base: Base) -> Shape:
    """A model's size; no weights are loaded.

    Raises:
        MissingDependency, ModelInvalid: Its configuration cannot be had.
    """
    import torch
    import transformers

    from ponder.train.adapters import targets

    read: Any = transformers
    with having(base.model, "an embedding model"):
        told = {"revision": base.revision} if base.revision else {}
        config = read.AutoConfig.from_pretrained(base.backbone, **told)
        with torch.device("meta"):
            inner = read.AutoModel.from_config(config)
    text = config.get_text_config()
    linear = [inner.get_submodule(name) for name in targets(inner)]
    looked_up = sum(each.weight.numel() for each in inner.modules() if isinstance(each, torch.nn.Embedding))
    everything = sum(each.numel() for each in inner.parameters())
    names = ("visual", "vision")
    eye = sum(each.numel() for name, each in inner.named_parameters() if any(part in name for part in names))
    seen = getattr(config, "vision_config", None)
    sides = getattr(seen, "patch_size", 0) or 0 if seen is not None else 0
    side = int(sides[0] if isinstance(sides, list | tuple) else sides)
    merged = int(getattr(seen, "spatial_merge_size", 1) or 1) ** 2 if seen is not None else 0
    numbers = 3 * side * side * int(getattr(seen, "temporal_patch_size", 1) or 1)
    return Shape(
        everything,
        max(everything - eye - looked_up, 1),
        eye,
        int(text.num_hidden_layers),
        int(text.hidden_size),
        int(getattr(text, "intermediate_size", 4 * text.hidden_size)),
        sum(each.in_features + each.out_features for each in linear),
        numbers * merged,
        merged,
    )


def estimate(
    prepared: Prepared,
    batches: Sequence[Sequence[int]],
    shape: Shape,
    settings: EmbedderSettings,
    *,
    lora: bool,
    half: bool,
    tflops: float,
) -> Estimate:
    """What a training will take.

    Args:
        prepared: The training set.
        batches: The plan.
        shape: The model's size.
        settings: The training's.
        lora: Whether an adapter is trained.
        half: Whether arithmetic is in bfloat16.
        tflops: What the device reaches in a matrix product.
    """
    costs = prepared.costs
    tokens = [costs.of([prepared.rows[place] for place in batch]) for batch in batches]
    trained = shape.trained(settings, lora=lora)
    forwards = 2 + (1 if lora else 2) + settings.checkpointing
    work = 2.0 * shape.language * sum(tokens) * forwards + 4.0 * shape.eye * shape.merged * sum(tokens)
    return Estimate(
        len(prepared.rows),
        len(prepared.queries),
        len(prepared.documents),
        prepared.unreasoned,
        len(batches),
        sum(tokens),
        max(costs.documents),
        trained,
        _memory(prepared, batches, costs, shape, settings, trained, lora=lora, half=half),
        work / (tflops * 1e12 * EFFICIENCY),
        tflops,
    )


def _memory(
    prepared: Prepared,
    batches: Sequence[Sequence[int]],
    costs: Costs,
    shape: Shape,
    settings: EmbedderSettings,
    trained: int,
    *,
    lora: bool,
    half: bool,
) -> dict[str, int]:
    width = 2 if half else 4
    at_once = max(settings.mini_tokens, *costs.documents, *costs.queries)
    block = (12 * shape.hidden + (3 if lora else 4) * shape.intermediate) * width
    kept = shape.hidden * width * shape.layers + block if settings.checkpointing else block * shape.layers
    largest = [prepared.rows[place] for place in max(batches, key=len)]
    queries = len({row.query for row in largest})
    documents = len({number for row in largest for number in row.documents})
    most = max(costs.of([prepared.rows[place] for place in batch]) for batch in batches)
    vectors = (queries + documents) * shape.hidden * 4 * 2 + queries * documents * 4 * 4
    return {
        "weights": shape.parameters * (width if lora else 4),
        "training": trained * 12,
        "activations": at_once * kept,
        "batch": vectors + most * shape.patch * 4,
    }


def measured_tflops(*, half: bool) -> float:
    """What a matrix product reaches here, in 10^12 operations a second; takes a few tenths of a second."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = 4096 if device == "cuda" else 768
    matrix = torch.ones(size, size, dtype=torch.bfloat16 if half else torch.float32, device=device)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        product = matrix @ matrix
        _ = float(product[0, 0])  # a GPU works on while Python goes ahead
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e12
