"""What is known of a query before a token is spent: whether it is worth spending any."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ponder.records import Candidate, Content
from ponder.rerank.fusion import spread_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIGNALS = ("margin", "entropy", "agreement", "words", "pictured")

_FIRST = 20
"""Candidates that are looked at: as many as are judged."""


def signals(
    query: Content,
    candidates: Sequence[Candidate],
    vector: NDArray[np.float32],
    blocks: Mapping[str, tuple[int, int]],
) -> dict[str, float]:
    """What gates look at; see `SIGNALS`.

    Args:
        query: As it was asked.
        candidates: Best first, with the scores of the earlier stage.
        vector: The plain query's, float32 of shape (dim,).
        blocks: Name → where a block of the embedder's vectors begins and ends; empty if it has none.

    Returns:
        ``margin``: the lead of the first over the second, in standard deviations of the first 20 scores; 0
        where there is no second. ``entropy``: of a softmax over them, in the same unit, as a share of its
        largest value: 1 where all are as near. ``agreement``: the share of blocks that alone would have put
        the same one first, of those with anything of the query in them; 1 without blocks. ``words``: of the
        query. ``pictured``: the share of the first 20 that are pictures or clips; 0 where nothing was found.

    Example:
        >>> from ponder.testing.examples import text_content
        >>> signals(text_content("red kite"), [], None, {})["words"]
        2.0
    """
    first = list(candidates[:_FIRST])
    scores = [candidate.score for candidate in first]
    spread = spread_of(scores)
    return {
        "margin": (scores[0] - scores[1]) / spread if len(scores) > 1 and spread else 0.0,
        "entropy": _entropy([score / spread for score in scores]) if spread else 1.0,
        "agreement": _agreement(first, vector, blocks) if first and blocks else 1.0,
        "words": float(len(query.text.split())),
        "pictured": sum(each.row.item.kind in ("image", "video") for each in first) / max(1, len(first)),
    }


def _entropy(scores: Sequence[float]) -> float:
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    total = math.fsum(weights)
    shares = [weight / total for weight in weights]
    return -math.fsum(share * math.log(share) for share in shares if share) / math.log(len(scores))


def _agreement(
    first: Sequence[Candidate], vector: NDArray[np.float32], blocks: Mapping[str, tuple[int, int]]
) -> float:
    import numpy as np

    rows = np.stack([_found_by(candidate) for candidate in first])
    same = []
    for start, end in blocks.values():
        if np.any(vector[start:end]):
            same.append(float(int(np.argmax(rows[:, start:end] @ vector[start:end])) == 0))
    return sum(same) / len(same) if same else 1.0


def _found_by(candidate: Candidate) -> NDArray[np.float32]:
    """The vector of the part that was found."""
    embedded = candidate.row.embedded
    place = embedded.labels.index(candidate.part) if candidate.part in embedded.labels else 0
    vector: NDArray[np.float32] = embedded.vectors[place]
    return vector
