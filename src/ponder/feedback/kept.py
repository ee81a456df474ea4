"""What could be among the nearest of some queries, by bounds on a fast first pass.

The bound: for rounded q' and x', |q'x' - qx| <= |q' - q| |x'| + |q| |x' - x| by Cauchy and Schwarz, with
norms that are computed, not assumed; then the error of a float32 sum of `dim` products (Higham, Accuracy and
Stability of Numerical Algorithms, 2002, section 3.1), and that of writing the product in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pass = Literal["bfloat16", "float32"]

_WRITTEN = {"bfloat16": 2.0**-7, "float32": 2.0**-23}
"""Twice the unit roundoff of what a product is written in."""

_EXACT = 1e-6
"""Exact scores are rounded to six decimals."""

_LEAST = 1024
"""Candidates of a query that are held before they are sifted, or four times as many as are wanted."""


class Block:
    """Vectors as the first pass reads them.

    Args:
        rows: float32 (n, dim).
        start: Place of the first.
        how: The first pass.

    Attributes:
        norm: The longest vector's length, as rounded.
        error: The largest distance between a vector and what it is rounded to.
    """

    def __init__(self, rows: NDArray[np.float32], start: int, how: Pass) -> None:
        import torch

        whole = torch.from_numpy(rows)
        self.start, self.count = start, len(rows)
        self.right: Any = whole
        self.error = 0.0
        if how == "bfloat16":
            self.right = whole.bfloat16()
            self.error = float((self.right.float() - whole).norm(dim=1).max())
        self.norm = float(whole.norm(dim=1).max()) + self.error


class Kept:
    """Candidates of some queries.

    Args:
        queries: float32 (n, dim).
        k: How many items are wanted.
        most: Most vectors of an item.
        how: The first pass.
    """

    def __init__(self, queries: NDArray[np.float32], k: int, most: int, how: Pass) -> None:
        import numpy as np
        import torch

        self.queries, self._k, self._most, self._how = queries, k, most, how
        whole = torch.from_numpy(queries)
        self._left = whole.bfloat16() if how == "bfloat16" else whole
        self._norms = whole.norm(dim=1).numpy()
        self._errors = (self._left.float() - whole).norm(dim=1).numpy()
        self._room = max(_LEAST, 4 * k * most)
        count = len(queries)
        self._places = np.zeros((count, self._room), np.int64)
        self._low = np.full((count, self._room), -np.inf, np.float32)
        self._high = np.full((count, self._room), -np.inf, np.float32)
        self._fill = np.zeros(count, np.int64)
        # Each query's k-th best item is at least as good.
        self._least = np.full(count, -np.inf)

    @property
    def full(self) -> bool:
        """Whether it is time to sift."""
        return bool(len(self._fill) and self._fill.max() > self._room)

    def product(self, block: Block) -> Any:
        """The first pass' scores, a tensor (queries, rows)."""
        return self._left @ block.right.T

    def add(self, block: Block) -> None:
        """Keep of a block what could be among the nearest."""
        import numpy as np

        product = self.product(block)
        off = self._off(block)
        if not np.isfinite(self._least).all():
            self._begin(product, off)
        wanted, written = self._least - off, _WRITTEN[self._how]
        # What is written as s may have been s + written * |s|.
        cut = np.where(wanted > 0, wanted / (1 + written), wanted / (1 - written))
        hits = np.flatnonzero(self._above(product, cut).ravel())
        if not len(hits):
            return
        asked = hits // block.count
        said = product.view(-1)[hits].float().numpy()
        spread = off[asked] + written * np.abs(said)
        self._put(asked, hits % block.count + block.start, said - spread, said + spread)

    def prune(self, owners: NDArray[np.int64] | None) -> None:
        """Drop what cannot be among the nearest any more."""
        import numpy as np

        if owners is None:
            width = int(self._fill.max(initial=0))
            if width < self._k:
                return
            low = self._low[:, :width]
            least = np.partition(low, width - self._k, axis=1)[:, width - self._k]
            self._least = np.maximum(self._least, least)
        else:
            self._raise(owners)
        asked, places, low, high = self.flat()
        stays = high >= self._least[asked]
        self._fill[:] = 0
        self._low[:] = -np.inf
        self._put(asked[stays], places[stays], low[stays], high[stays])

    def settle(
        self,
        score: Callable[[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
        owners: NDArray[np.int64] | None,
    ) -> None:
        """Score exactly where bounds cannot tell candidates apart (many copies), and keep k items of them.

        Args:
            score: From the queries, the numbers of n of them, and n places that rise, to n scores.
            owners: As for `prune`.
        """
        import numpy as np

        asked, places, low, high = self.flat()
        crowded = self._fill > self._room
        keep = ~crowded[asked]
        parts: list[tuple[NDArray[Any], ...]] = [(asked[keep], places[keep], low[keep], high[keep])]
        for query in np.flatnonzero(crowded):
            at = np.sort(places[asked == query])
            scores = score(self.queries, np.full(len(at), query), at)
            items = at if owners is None else owners[at]
            order = np.lexsort((items, -scores))
            _, first = np.unique(items[order], return_index=True)
            best = order[np.sort(first)[: self._k]]
            told = scores[best]
            parts.append((np.full(len(best), query), at[best], told - _EXACT, told + _EXACT))
        self._fill[:] = 0
        self._low[:] = -np.inf
        asked, places, low, high = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(asked, kind="stable")
        self._put(asked[order], places[order], low[order], high[order])
        self.prune(owners)

    def flat(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        """All candidates: number of the query, rising; place; least and most that the score can be."""
        import numpy as np

        width = int(self._fill.max(initial=0))
        there = np.arange(width) < self._fill[:, None]
        asked = np.repeat(np.arange(len(self._fill)), self._fill)
        return (
            asked,
            self._places[:, :width][there],
            self._low[:, :width][there],
            self._high[:, :width][there],
        )

    def _off(self, block: Block) -> NDArray[np.float64]:
        """How far the first pass can be off, but for writing its result."""
        import numpy as np

        summed = self.queries.shape[1] * 2.0**-23 * (self._norms + self._errors) * block.norm
        off = self._errors * block.norm + self._norms * block.error + summed + _EXACT
        return np.asarray(off, np.float64)

    def _begin(self, product: Any, off: NDArray[np.float64]) -> None:
        """Without any bound yet: the first block's own."""
        import numpy as np

        wanted = self._k * self._most
        if product.shape[1] < wanted:
            return
        least = product.float().topk(wanted, dim=1).values[:, -1].numpy()
        bound = least - off - _WRITTEN[self._how] * np.abs(least)
        self._least = np.maximum(self._least, bound)

    def _above(self, product: Any, cut: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where a product is at least the cut, or a hair below."""
        import numpy as np
        import torch

        lowered = torch.from_numpy(cut - _WRITTEN[self._how] * np.abs(cut))[:, None]
        if self._how == "float32" or not (cut > 0).all():
            return np.asarray((product.float() >= lowered).numpy())
        # Positive numbers are ordered as the integers that their bits spell, and negative ones are spelt as
        # negative integers: these are compared several times as fast.
        bits = lowered.bfloat16().view(torch.int16)
        return np.asarray(product.view(torch.int16).numpy() >= bits.numpy())

    def _put(
        self,
        asked: NDArray[np.int64],
        places: NDArray[np.int64],
        low: NDArray[np.floating[Any]],
        high: NDArray[np.floating[Any]],
    ) -> None:
        """Append candidates, those of a query together."""
        import numpy as np

        counts = np.bincount(asked, minlength=len(self._fill))
        slot = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts, counts) + self._fill[asked]
        self._fill += counts
        more = int(self._fill.max(initial=0)) - self._low.shape[1]
        if more > 0:
            wider = ((0, 0), (0, more))
            self._places = np.pad(self._places, wider)
            self._low = np.pad(self._low, wider, constant_values=-np.inf)
            self._high = np.pad(self._high, wider, constant_values=-np.inf)
        at = (asked, slot)
        # Rounded outward: a bound in float32 is to hold for the float64 score.
        self._places[at] = places
        self._low[at] = np.nextafter(low.astype(np.float32), np.float32(-np.inf))
        self._high[at] = np.nextafter(high.astype(np.float32), np.float32(np.inf))

    def _raise(self, owners: NDArray[np.int64]) -> None:
        """The bound where an item has several vectors: the k-th best of the items' best."""
        import numpy as np

        asked, places, low, _ = self.flat()
        items = owners[places]
        order = np.lexsort((-low, items, asked))
        asked, items, low = asked[order], items[order], low[order]
        first = np.ones(len(asked), bool)
        first[1:] = (asked[1:] != asked[:-1]) | (items[1:] != items[:-1])
        asked, low = asked[first], low[first]
        order = np.lexsort((-low, asked))
        counts = np.bincount(asked, minlength=len(self._fill))
        kth = np.cumsum(counts) - counts + self._k - 1
        enough = counts >= self._k
        self._least[enough] = np.maximum(self._least[enough], low[order][kth[enough]])
