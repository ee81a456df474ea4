"""What a reasoner's training is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ponder.errors import BadArguments


@dataclass(frozen=True, slots=True)
class ReasonerSettings:
    """Of all of these the trained weights depend.

    Attributes:
        tuning: "full" trains all weights of the language model, "lora" an adapter on it. The eye is frozen.
        rank: Of LoRA.
        alpha: Of LoRA.
        epochs: Times over all ECRs; 1 is TTE's (arXiv:2510.05014, appendix).
        rate: Learning rate; 0 takes TTE's 2e-5 for all weights and 1e-4 for LoRA, a twentieth of that for
            preferences.
        warmup: Share of the steps in which the rate rises; it then falls linearly to 0.
        decay: AdamW's weight decay.
        batch: ECRs of a step; 128 is TTE's.
        mini: ECRs that are in a graph at a time.
        shortest: Tokens that an ECR has at least.
        longest: Tokens that it has at most; 0 takes the models' own limit of a reasoning.
        useful: Least usefulness (`ponder.train.usefulness`); None does not measure.
        prefer: Learn which of two ECRs about an item is the more useful one (DPO, arXiv:2305.18290), instead
            of learning to write them.
        beta: Of DPO: how dear it is to move away from the base.
        gap: Of DPO: usefulness that two ECRs differ by, at least.
        checkpointing: Compute activations again in the backward pass instead of keeping them.
        dtype: Of the arithmetic: "float32", "bfloat16", or "auto", bfloat16 on a GPU that has it.
        every: Steps between two checkpoints; 0 takes ten in all.
        seed: Of the order, the adapter's beginning, and dropout.

    Raises:
        BadArguments: A value that cannot be used.
    """

    tuning: Literal["full", "lora"] = "full"
    rank: int = 16
    alpha: int = 64
    epochs: int = 1
    rate: float = 0.0
    warmup: float = 0.03
    decay: float = 0.0
    batch: int = 128
    mini: int = 4
    shortest: int = 4
    longest: int = 0
    useful: float | None = 0.0
    prefer: bool = False
    beta: float = 0.1
    gap: float = 0.0
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
            "--shortest": self.shortest < 0,
            "--longest": self.longest < 0,
            "--beta": self.beta <= 0,
            "--gap": self.gap < 0,
        }
        for option, bad in wrong.items():
            if bad:
                raise BadArguments("out of range", option, "see ponder train reasoner --help")
        if self.prefer and self.useful is None:
            raise BadArguments(
                "preferences are told by usefulness", "--prefer, --useful", "leave --useful out"
            )

    @property
    def learning_rate(self) -> float:
        """The rate to train with.

        Example:
            >>> ReasonerSettings().learning_rate, ReasonerSettings(prefer=True).learning_rate
            (2e-05, 1e-06)
        """
        if self.rate:
            return self.rate
        if self.prefer:
            return 5e-6 if self.tuning == "lora" else 1e-6
        return 1e-4 if self.tuning == "lora" else 2e-5

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
