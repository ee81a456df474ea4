"""What an embedder's training is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ponder.errors import BadArguments
from ponder.train.contrastive import TEMPERATURE

Tuning = Literal["auto", "lora", "full"]


@dataclass(frozen=True, slots=True)
class EmbedderSettings:
    """Of all of these the trained weights depend, but for `every`: with it, on which of them are kept.

    Attributes:
        tuning: "lora" trains an adapter, "full" all weights; "auto" is LoRA for models that see and full for
            text encoders.
        rank: Of LoRA. 16 and 64 are TTE's and VLM2Vec's.
        alpha: Of LoRA.
        epochs: Times over all pairs.
        rate: Learning rate; 0 takes 1e-4 for LoRA and 2e-5 for all weights.
        warmup: Share of the steps in which the rate rises; it then falls linearly to 0.
        decay: AdamW's weight decay.
        batch: Most pairs of a batch: the more, the more in-batch negatives.
        batch_tokens: Most tokens of a batch, over queries and documents.
        mini_tokens: Most tokens that are in a graph at a time: what the memory for activations follows.
        negatives: Most hard negatives of a query.
        temperature: Of InfoNCE.
        kl: Weight of the KL divergence from the judge's ranking.
        cosent: Weight of CoSENT from the judge's gaps.
        dims: Shorter lengths of the vector to train as well (Matryoshka).
        checkpointing: Compute activations again in the backward pass instead of keeping them.
        dtype: Of the arithmetic: "float32", "bfloat16", or "auto", bfloat16 on a GPU that has it.
        every: Steps between two evaluations with a checkpoint each; 0 takes one an epoch.
        metric: Of the dev splits; the checkpoint with the best mean of it is the result.
        promote: Take false negatives for positives.
        suspects: Train on suspect positives too; see `ponder.train.examples.examples_of`.
        seed: Of the order, the adapter's beginning, and dropout.

    Raises:
        BadArguments: A value that cannot be used.
    """

    tuning: Tuning = "auto"
    rank: int = 16
    alpha: int = 64
    epochs: int = 1
    rate: float = 0.0
    warmup: float = 0.1
    decay: float = 0.01
    batch: int = 256
    batch_tokens: int = 65536
    mini_tokens: int = 4096
    negatives: int = 4
    temperature: float = TEMPERATURE
    kl: float = 0.0
    cosent: float = 0.0
    dims: tuple[int, ...] = ()
    checkpointing: bool = False
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    every: int = 0
    metric: str = "ndcg@10"
    promote: bool = False
    suspects: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        from ponder.evaluate.metrics import METRICS

        wrong = {
            "--rank": self.rank < 1,
            "--alpha": self.alpha < 1,
            "--epochs": self.epochs < 1,
            "--rate": not 0 <= self.rate < 1,
            "--warmup": not 0 <= self.warmup < 1,
            "--decay": self.decay < 0,
            "--batch": self.batch < 1,
            "--batch-tokens": self.batch_tokens < 1,
            "--mini-tokens": self.mini_tokens < 1,
            "--negatives": self.negatives < 0,
            "--temperature": self.temperature <= 0,
            "--kl": self.kl < 0,
            "--cosent": self.cosent < 0,
            "--every": self.every < 0,
        }
        for option, bad in wrong.items():
            if bad:
                raise BadArguments("out of range", option, "see ponder train embedder --help")
        if self.metric not in METRICS:
            raise BadArguments(f"unknown measure {self.metric!r}", "--metric", f"known: {', '.join(METRICS)}")

    def learning_rate(self, *, lora: bool) -> float:
        """The rate to train with.

        Example:
            >>> EmbedderSettings().learning_rate(lora=True)
            0.0001
        """
        return self.rate or (1e-4 if lora else 2e-5)

    def fields(self) -> dict[str, Any]:
        """As JSON values.

        Example:
            >>> EmbedderSettings(dims=(64, 32)).fields()["dims"]
            [64, 32]
        """
        return {key: list(each) if isinstance(each, tuple) else each for key, each in asdict(self).items()}
