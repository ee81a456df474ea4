"""Which documents are negatives of a query, by ranks and scores.

The rules are those of ``mine_hard_negatives`` of sentence-transformers
(https://sbert.net/docs/package_reference/util/hard_negatives.html). Two things differ: ranks count unlabelled
documents as the retriever ranks them, before any other rule (there: what the other rules leave); and how deep
a query is searched does not depend on how many positives other queries have.
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
    """What a negative is. What is None rules nothing out.

    Attributes:
        first: Place in the retriever's ranking without the labelled documents, from 1, where negatives begin.
        last: Where they end, included.
        negatives: Most of a query, the best scores first; fewer where there are not as many.
        margin: A negative's score lies at least so far below the query's lowest positive.
        relative: The same as a share of the positive's magnitude; NV-Retriever's TopK-PercPos (95 %) is .05
            (arXiv:2407.15831).
        low: Least score of a negative.
        high: Its greatest score.

    Raises:
        BadArguments: The range is empty, or `negatives` is below 0.

    Example:
        >>> Rules(last=50, negatives=5, relative=0.05).told()
        'ranks 1-50, relative 0.05'
    """

    first: int = 1
    last: int = 50
    negatives: int = 5
    margin: float | None = None
    relative: float | None = None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise BadArguments(f"{self.first}-{self.last}", "first, last", "give places from 1, as in 1-50")
        if self.negatives < 0:
            raise BadArguments(f"{self.negatives}", "negatives", "give 0 or more")

    def told(self) -> str:
        """The rules in words, as pairs have them in ``why``."""
        names = ("margin", "relative", "low", "high")
        given = [f"{name} {getattr(self, name):g}" for name in names if getattr(self, name) is not None]
        return ", ".join([f"ranks {self.first}-{self.last}", *given])

    def line(self, positive: NDArray[np.float64]) -> NDArray[np.float64]:
        """The greatest score that a negative may have beside these positives, (n,); inf: any."""
        import numpy as np

        line = np.full(len(positive), np.inf if self.high is None else self.high)
        if self.margin is not None:
            line = np.minimum(line, positive - self.margin)
        if self.relative is not None:
            line = np.minimum(line, positive - np.abs(positive) * self.relative)
        return line

    def allow(self, score: NDArray[np.float64], positive: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether documents may be negatives; never where either score is NaN.

        Args:
            score: (n,).
            positive: (n,), of the query's lowest positive.
        """
        import numpy as np

        fits = np.isfinite(score) & np.isfinite(positive) & (score <= self.line(positive))
        if self.low is not None:
            fits &= score >= self.low
        return np.asarray(fits)
