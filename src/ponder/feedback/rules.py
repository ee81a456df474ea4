"""Which documents are negatives of a query, by ranks and scores.

The rules are those of ``mine_hard_negatives`` of sentence-transformers
(https://sbert.net/docs/package_reference/util/hard_negatives.html), under its names. Two things differ: ranks
count unlabelled documents as the retriever ranks them, before any other rule (there: what the other rules
leave); and how deep a query is searched does not depend on how many positives other queries have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.errors import BadArguments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rules:
    """Which documents are negatives of a query. What is None rules nothing out.

    Attributes:
        range_min: Nearest unlabelled documents that are passed over.
        range_max: Unlabelled documents that are looked at, those passed over included.
        num_negatives: Most negatives of a query, the best scores first.
        absolute_margin: A negative's score lies at least so far below the query's lowest positive.
        relative_margin: The same as a share of the positive's magnitude; NV-Retriever's TopK-PercPos
            (95 %) is .05 (arXiv:2407.15831).
        max_score, min_score: Bounds of a negative's score, both included.

    Raises:
        BadArguments: The range is empty, or a number is negative that may not be.

    Example:
        >>> Rules(range_max=50, num_negatives=5, relative_margin=0.05).told()
        'ranks 1-50, relative_margin 0.05'
    """

    range_min: int = 0
    range_max: int = 100
    num_negatives: int = 8
    absolute_margin: float | None = None
    relative_margin: float | None = None
    max_score: float | None = None
    min_score: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.range_min < self.range_max:
            raise BadArguments(
                f"{self.range_min}, {self.range_max}", "range_min, range_max", "0 <= min < max"
            )
        if self.num_negatives < 0:
            raise BadArguments(f"{self.num_negatives}", "num_negatives", "give 0 or more")

    def told(self) -> str:
        """The rules in words, as pairs have them in ``why``."""
        names = ("absolute_margin", "relative_margin", "max_score", "min_score")
        given = [f"{name} {getattr(self, name):g}" for name in names if getattr(self, name) is not None]
        return ", ".join([f"ranks {self.range_min + 1}-{self.range_max}", *given])

    def allow(self, score: NDArray[np.float64], positive: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether documents may be negatives; never where either score is NaN.

        Args:
            score: (n,).
            positive: (n,), of the query's lowest positive.
        """
        import numpy as np

        fits = np.isfinite(score) & np.isfinite(positive)
        if self.absolute_margin is not None:
            fits &= score + self.absolute_margin <= positive
        if self.relative_margin is not None:
            fits &= score <= positive - np.abs(positive) * self.relative_margin
        if self.max_score is not None:
            fits &= score <= self.max_score
        if self.min_score is not None:
            fits &= score >= self.min_score
        return np.asarray(fits)
