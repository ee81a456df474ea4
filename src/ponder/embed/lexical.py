"""Exact words in a dense vector: a signed random projection of weighted word pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ponder.models.lite.text_encoder import VOCABULARY, rarity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIM = 512
"""At 256 the noise of the projection shows; at 1024 documents gained nothing (docs/log.md)."""

_SEED = 7
_SATURATION = 1.2


class Lexical:
    """Text to a unit vector in which texts that share rare word pieces are near.

    A word piece weighs ``idf² · tf / (tf + 1.2)``, BM25's saturation (Robertson and Zaragoza, 2009). Its idf
    is taken from its rank in BERT's vocabulary, which is sorted by frequency: by Zipf's law the logarithm of
    the rank is the idf up to a factor, and no corpus needs to be counted. The bag is then projected to 512
    dimensions by random signs, which keeps dot products up to about 1/sqrt(512) (Achlioptas, 2003), so that
    words and meaning are searched in one vector, without a second index.

    Args:
        pieces: Text to word pieces: ``(id, kept)``, where `kept` is False for punctuation and marks.
    """

    def __init__(self, pieces: Callable[[str], Sequence[int]]) -> None:
        self._pieces = pieces

    def vector(self, texts: Sequence[tuple[str, float]], *, query: bool = False) -> NDArray[np.float32]:
        """The bag of weighted texts, float32 (512,), unit norm; zeros where no word counts.

        Args:
            texts: ``(text, weight)``.
            query: A query's words count once each, however often they stand there.
        """
        import numpy as np

        counts: dict[int, float] = {}
        for text, weight in texts:
            for piece in self._pieces(text):
                counts[piece] = counts.get(piece, 0.0) + weight
        ids = np.array(sorted(counts), np.int64)
        frequency = np.array([counts[i] for i in ids.tolist()], np.float32)
        tf = np.minimum(frequency, 1.0) if query else frequency / (frequency + _SATURATION)
        weights = rarity(ids.tolist()) ** 2 * tf
        norm = float(np.linalg.norm(weights))
        if norm == 0.0:
            return np.zeros(DIM, np.float32)
        return np.asarray((weights / norm) @ self._signs[ids], np.float32) / np.float32(np.sqrt(DIM))

    @cached_property
    def _signs(self) -> NDArray[np.float32]:
        import numpy as np

        bits = np.random.Generator(np.random.PCG64(_SEED)).integers(0, 2, (VOCABULARY, DIM), np.int8)
        return (2 * bits - 1).astype(np.float32)
