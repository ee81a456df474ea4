"""What a comparison of two sets of models found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ponder.evaluate.parity.prompts import Difference


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What still counts as the same.

    Attributes:
        score: Largest difference of two scores; 1e-3 of a probability is what float32 kernels of different
            libraries leave.
        cosine: Least cosine of two vectors.
        rank: Least rank correlation (Spearman) of a query's candidates.
    """

    score: float = 1e-3
    cosine: float = 0.999
    rank: float = 0.99


@dataclass(frozen=True, slots=True)
class JudgeParity:
    """One stage on both sides.

    Attributes:
        worst: Largest difference of scores.
        mean: Mean difference of scores.
        rank: Least rank correlation over the queries; 1 where all scores of one are equal.
        pairs: Scores that both sides gave.
        lost: Candidates that only one side scored.
        prompts: Where prompts differ; None where they do not, or where a side cannot show them.
        answers: The answers and their token ids, by side.
    """

    worst: float
    mean: float
    rank: float
    pairs: int
    lost: int
    prompts: Difference | None
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parity:
    """All of it.

    Attributes:
        agrees: The verdict.
        diagnosis: The likeliest cause of a difference, "" when they agree.
        items: Inputs that were compared.
        cosine: Least and mean cosine of the items' vectors; None where they cannot be compared.
        reads: Where the embedders read an item differently; None where they do not, or where a side cannot
            show it.
        judges: By stage name.
        notes: What could not be compared, and why.
    """

    agrees: bool
    diagnosis: str
    items: int
    cosine: tuple[float, float] | None
    judges: Mapping[str, JudgeParity]
    reads: Difference | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
