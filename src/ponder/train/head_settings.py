"""What the training of an embedding head is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ponder.errors import BadArguments
from ponder.models.local.heads import POOLINGS, Pooling
from ponder.train.contrastive import TEMPERATURE


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Of all of these the trained weights depend, but for `mini_tokens`.

    Attributes:
        pooling: Which head (`ponder.models.local.heads`). "last" and "mean" have no weights: of them only the
            preset is made, so that all five can be compared.
        epochs: Times over all pairs.
        rate: Learning rate.
        warmup: Share of the steps in which the rate rises; it then falls linearly to 0.
        decay: AdamW's weight decay.
        batch: Most pairs of a batch: the more, the more in-batch negatives.
        batch_tokens: Most tokens of a batch, over queries and documents: their states are in memory.
        mini_tokens: Most tokens that are in the head's graph at a time.
        negatives: Most hard negatives of a query.
        temperature: Of InfoNCE.
        promote: Take false negatives for positives.
        suspects: Train on suspect positives too; see `ponder.train.examples.examples_of`.
        dtype: Of the backbone: "float32", "bfloat16", or "auto", bfloat16 on a GPU that has it. The head is
            trained in float32.
        every: Steps between two checkpoints; 0 takes ten in all.
        seed: Of the order and of the head's beginning.

    Raises:
        BadArguments: A value that cannot be used.
    """

    pooling: Pooling = "attention"
    epochs: int = 1
    rate: float = 1e-4
    warmup: float = 0.1
    decay: float = 0.01
    batch: int = 256
    batch_tokens: int = 65536
    mini_tokens: int = 8192
    negatives: int = 4
    temperature: float = TEMPERATURE
    promote: bool = False
    suspects: bool = True
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    every: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = {
            "--pooling": self.pooling not in POOLINGS,
            "--epochs": self.epochs < 1,
            "--batch": self.batch < 1,
            "--batch-tokens": self.batch_tokens < 1,
            "--mini-tokens": self.mini_tokens < 1,
            "--negatives": self.negatives < 0,
            "--temperature": self.temperature <= 0,
        }
        for option, bad in wrong.items():
            if bad:
                raise BadArguments("out of range", option, "see ponder train head --help")

    @property
    def learns(self) -> bool:
        """Whether the head has weights.

        Example:
            >>> HeadSettings("mean").learns
            False
        """
        return self.pooling not in ("last", "mean")

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
