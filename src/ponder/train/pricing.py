"""What a training of a reasoner, reranker or head will take: steps, tokens, memory, time.

The reckoning is that of `ponder.train.estimate`, without its gradient cache: each piece is read forward once
and backward once, and its activations are in memory together. Logits are those of answers alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from ponder.train.estimate import EFFICIENCY, Shape


@dataclass(frozen=True, slots=True)
class Price:
    """What a training will take.

    Attributes:
        examples: That are learned from, each epoch.
        steps: Of the optimizer, in all epochs.
        tokens: That are read in all epochs, padding included.
        longest: Most tokens of one example.
        trained: Parameters.
        memory: Bytes by what they are for.
        seconds: On a device of `tflops`.
        tflops: 10^12 operations a second that were reckoned with.
    """

    examples: int
    steps: int
    tokens: int
    longest: int
    trained: int
    memory: dict[str, int]
    seconds: float
    tflops: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is read.

    Attributes:
        examples: Each epoch.
        steps: In all.
        tokens: In all, padding included.
        longest: Of one example.
        at_once: Tokens of the largest piece, padding included.
        logits: Most logits that are computed at once.
    """

    examples: int
    steps: int
    tokens: int
    longest: int
    at_once: int
    logits: int


def price(
    load: Load, shape: Shape, *, trained: int, lora: bool, half: bool, checkpointing: bool, tflops: float
) -> Price:
    """What a training takes that reads so much with a model of this shape.

    Args:
        load: What is read.
        shape: The model's size.
        trained: Parameters that are trained.
        lora: Whether those are an adapter's.
        half: Whether arithmetic is in bfloat16.
        checkpointing: Whether activations are computed twice.
        tflops: Of the device, in a matrix product.
    """
    width = 2 if half else 4
    block = (12 * shape.hidden + (3 if lora else 4) * shape.intermediate) * width
    kept = shape.hidden * width * shape.layers + block if checkpointing else block * shape.layers
    passes = 1 + (1 if lora else 2) + checkpointing
    work = 2.0 * load.tokens * (shape.language * passes + shape.eye * shape.merged)
    memory = {
        "weights": shape.parameters * (width if lora else 4),
        "training": trained * 12,
        "activations": load.at_once * kept,
        # In float32, with their gradient.
        "logits": load.logits * 8,
    }
    seconds = work / (tflops * 1e12 * EFFICIENCY)
    return Price(load.examples, load.steps, load.tokens, load.longest, trained, memory, seconds, tflops)
