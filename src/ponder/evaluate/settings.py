"""What an evaluation runs with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ponder.cascade import Cascade, default_cascade
from ponder.cascade.pacing import Allocation, check_allocation
from ponder.errors import BadArguments

ReasoningMode = Literal["on", "off", "shuffled"]

Pool = Literal["each", "common"]

POOLS: tuple[Pool, ...] = get_args(Pool)

REASONING_MODES: tuple[ReasoningMode, ...] = ("on", "off", "shuffled")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run a data set.

    Attributes:
        budgets: Tokens a query may cost, one run each.
        cascade: The stages.
        reasoning: "on"; "off" adds no knowledge to documents (reasoning of 0 tokens, same parts and
            weights); "shuffled" gives each document another's ECR: what is left when reasoning is
            only more words.
        allocate: How the budget is split over stages and candidates: "uniform", by fixed shares, or
            "adaptive", which stops where the first place is no longer open.
        pool: "each" query has the budget for itself; "common": all queries have the budget times their
            number together, and tokens go where the first place is open (`Search.batch`).
        gates: Whether stages are left out for queries that they were measured not to help.
        reason_tokens: Length of a document's ECR; None takes the models' own.
        text_layer: Whether a PDF's text layer may be read; without it pages are only pictures.
        by: Field of the queries' metadata to break the metrics down by; "" for none.
        seed: Of the shuffling.

    Raises:
        BadArguments: A value outside of these.
    """

    budgets: tuple[int, ...] = (0, 64, 256, 1024)
    cascade: Cascade = default_cascade()  # noqa: RUF009 - frozen
    reasoning: ReasoningMode = "on"
    allocate: Allocation = "uniform"
    pool: Pool = "each"
    gates: bool = True
    reason_tokens: int | None = None
    text_layer: bool = True
    by: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.budgets or any(budget < 0 for budget in self.budgets):
            raise BadArguments("no budget, or a negative one", "--budget", "give one or more, as in 0,64")
        if self.reasoning not in REASONING_MODES:
            raise BadArguments(f"unknown mode {self.reasoning!r}", "--reasoning", "use on, off or shuffled")
        check_allocation(self.allocate)
        if self.pool not in POOLS:
            raise BadArguments(f"unknown pool {self.pool!r}", "--pool", "use each or common")
        if self.pool == "common" and self.allocate != "adaptive":
            raise BadArguments(
                "uniform has no use for a common pool", "--pool", "give --allocate adaptive with it"
            )
        if self.reason_tokens is not None and self.reason_tokens < 0:
            raise BadArguments("a negative length", "--reason-tokens", "give 0 or more")
