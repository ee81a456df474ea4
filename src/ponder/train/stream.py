"""The order of examples where none is against another: shuffled epochs, in pieces that fit into memory."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ponder.errors import BadArguments


@dataclass(frozen=True, slots=True)
class Stream:
    """A training's order.

    Attributes:
        pieces: Places of examples, as many as are in a graph at a time.
        accumulate: Pieces of a step.
    """

    pieces: tuple[tuple[int, ...], ...]
    accumulate: int

    @property
    def steps(self) -> int:
        """Of the optimizer.

        Example:
            >>> stream(10, epochs=1, batch=4, mini=2, seed=0).steps
            3
        """
        return -(-len(self.pieces) // self.accumulate)


def stream(count: int, *, epochs: int, batch: int, mini: int, seed: int) -> Stream:
    """Shuffle the examples anew for each epoch and cut the row of all epochs into pieces.

    Args:
        count: Examples.
        epochs: Times over all.
        batch: Examples of a step; rounded up to whole pieces.
        mini: Examples of a piece, at most `batch`.
        seed: Of the shuffling.

    Raises:
        BadArguments: A number below 1.
    """
    if min(count, epochs, batch, mini) < 1:
        raise BadArguments("epochs, batch and mini are at least 1", "--epochs, --batch, --mini", "")
    mini = min(mini, batch)
    order: list[int] = []
    for epoch in range(epochs):
        places = list(range(count))
        random.Random(f"{seed}/{epoch}").shuffle(places)
        order += places
    pieces = tuple(tuple(order[start : start + mini]) for start in range(0, len(order), mini))
    return Stream(pieces, -(-batch // mini))
