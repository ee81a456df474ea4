"""What a reranker's training is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ponder.errors import BadArguments
from ponder.train.ranking import Distill, LabelLoss


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """Of all of these the trained weights depend.

    Attributes:
        tuning: "full" trains all weights but for an eye's, "lora" an adapter; "auto" is LoRA for chat models
            and full for cross-encoders.
        rank: Of LoRA.
        alpha: Of LoRA.
        epochs: Times over all queries.
        rate: Learning rate; 0 takes 1e-4 for LoRA and 2e-5 for all weights.
        warmup: Share of the steps in which the rate rises; it then falls linearly to 0.
        decay: AdamW's weight decay.
        batch: Queries of a step.
        mini: Queries, each with all its documents, that are in a graph at a time.
        negatives: Most negatives of a query.
        fill: Where fewer were mined, take documents at random.
        loss: Over labels: "pointwise", "listwise", "lambda", or "none".
        distill: Over a larger judge's scores: "margin", "kl", or "none".
        weight: Of the latter.
        promote: Take false negatives for positives.
        suspects: Train on suspect positives too; see `ponder.train.examples.examples_of`.
        checkpointing: Compute activations again in the backward pass instead of keeping them.
        dtype: Of the arithmetic: "float32", "bfloat16", or "auto", bfloat16 on a GPU that has it.
        every: Steps between two checkpoints; 0 takes ten in all.
        seed: Of the order, random negatives, the adapter's beginning, and dropout.

    Raises:
        BadArguments: A value that cannot be used.
    """

    tuning: Literal["auto", "full", "lora"] = "auto"
    rank: int = 16
    alpha: int = 64
    epochs: int = 1
    rate: float = 0.0
    warmup: float = 0.1
    decay: float = 0.01
    batch: int = 32
    mini: int = 2
    negatives: int = 7
    fill: bool = True
    loss: LabelLoss = "listwise"
    distill: Distill = "none"
    weight: float = 1.0
    promote: bool = False
    suspects: bool = True
    checkpointing: bool = False
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    every: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = {
            "--rank": self.rank < 1,
            "--alpha": self.alpha < 1,
            "--epochs": self.epochs < 1,
            "--rate": not 0 <= self.rate < 1,
            "--batch": self.batch < 1,
            "--mini": self.mini < 1,
            "--negatives": self.negatives < 1,
            "--weight": self.weight <= 0,
        }
        for option, bad in wrong.items():
            if bad:
                raise BadArguments("out of range", option, "see ponder train reranker --help")
        if self.loss == "none" and self.distill == "none":
            raise BadArguments("nothing to learn from", "--loss, --distill", "give one of them")

    def learning_rate(self, *, lora: bool) -> float:
        """The rate to train with.

        Example:
            >>> RerankerSettings().learning_rate(lora=True)
            0.0001
        """
        return self.rate or (1e-4 if lora else 2e-5)

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
