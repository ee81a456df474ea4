"""A fast product of queries and candidates, and how far it can be off.

In float32 a sum of n products is off by at most n units of roundoff of the product of lengths (Higham,
Accuracy and Stability of Numerical Algorithms, 2002, 3.1). In bfloat16, which some processors multiply three
times as fast, the rounding of both sides comes on top, by Cauchy and Schwarz, and that of writing the sum.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pass = Literal["bfloat16", "float32"]

WORK = 1e11
"""Products below which float32 is taken: some two seconds on a core, and loading torch takes as long."""

_WRITTEN = {"bfloat16": 2.0**-7, "float32": 0.0}
"""Twice the unit of roundoff of what a sum is written in, where that is not the sum's own."""


_TRIES = 4


class Rough:
    """A first pass.

    Args:
        how: What is multiplied.
        longest: The longest candidate's length; those that have none are not compared.
        dim: Values of a vector.

    Attributes:
        how: As given.
    """

    def __init__(self, how: Pass, longest: float, dim: int) -> None:
        self.how: Pass = how
        # Rounding to bfloat16 moves a vector by at most this share of its length.
        share = 2.0**-8 if how == "bfloat16" else 0.0
        self._longest, self._farthest = longest * (1 + share), longest * share
        # Some units more: the rounding of the exact score, and of what is computed here.
        self._units = (dim + 8) * 2.0**-24 * (2.02 if how == "bfloat16" else 1.01)

    def left(self, tile: NDArray[np.float32]) -> tuple[Any, NDArray[np.float64]]:
        """Queries as `scores` takes them, and by how much each one's scores can be off, writing aside."""
        import numpy as np

        operand: Any = tile
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = _lengths(tile)
            errors = np.zeros(len(tile))
            if self.how == "bfloat16":
                import torch

                operand = torch.from_numpy(np.array(tile)).bfloat16()
                errors = _lengths(operand.float().numpy() - tile)
            off = errors * self._longest + lengths * self._farthest
            off += self._units * (lengths + errors) * self._longest
            # Near float32's end a product says nothing.
            return operand, np.where(lengths * self._longest < 1e37, off, np.inf)

    def scores(self, operand: Any, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The products, (queries, rows)."""
        import numpy as np

        if self.how == "float32":
            with np.errstate(over="ignore", invalid="ignore"):
                return operand @ rows.T
        import torch

        # A memory map is not to be written to, and torch warns of that.
        return (operand @ torch.from_numpy(np.array(rows)).bfloat16().T).float().numpy()

    def floor(self, least: NDArray[np.float32], off: NDArray[np.float64]) -> NDArray[np.float32]:
        """What a rough score has to reach to be among the first.

        Args:
            least: The last of the best rough scores, by query.
            off: Of the queries, from `left`.
        """
        import numpy as np

        written = _WRITTEN[self.how]
        # A query that is no number gets a floor that is none, and keeps everything.
        with np.errstate(over="ignore", invalid="ignore"):
            wanted = least - written * np.abs(least) - 2 * off
            cut = np.where(wanted > 0, wanted / (1 + written), wanted / (1 - written))
            return (cut - 1e-36).astype(np.float32)


def faster(queries: NDArray[np.float32], rows: NDArray[np.float32], candidates: int) -> Pass:
    """Which pass is faster here, by trying both on one block where there is much to do.

    Args:
        queries: (queries, dim).
        rows: Some candidates.
        candidates: How many there are.
    """
    if float(len(queries)) * candidates * rows.shape[1] < WORK:
        return "float32"
    took: dict[Pass, float] = {}
    for how in ("bfloat16", "float32"):
        rough = Rough(how, 1.0, rows.shape[1])
        operand, _ = rough.left(queries[:512])
        tries = []
        for _ in range(_TRIES):
            began = time.perf_counter()
            rough.scores(operand, rows)
            tries.append(time.perf_counter() - began)
        # Other programs only ever add to a time.
        took[how] = min(tries)
    return min(took, key=lambda how: took[how])


def _lengths(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    import numpy as np

    return np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
