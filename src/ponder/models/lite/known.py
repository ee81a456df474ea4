"""Log-probabilities that were computed before: a pair of texts is scored once, whoever asks again."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from ponder.protocols import BlobCache

Tokens = tuple[int, ...]


class KnownScores:
    """Keeps log-probabilities by content. They count as read all the same: memory saves time, not tokens.

    With each stands how long it took, so that a timing can add what memory saved.

    Args:
        cache: Where they are kept.
        model: Fingerprint of the model that scores.

    Attributes:
        seconds_saved: Time that found scores took when they were made, so far.

    Example:
        >>> from ponder.index import Cache
        >>> known = KnownScores(Cache(":memory:"), "a model")
        >>> known.put((1, 2), (3, 4), (-0.5, -1.5), seconds=0.25)
        >>> known.get((1, 2), (3, 4)), known.get((1,), (2, 3, 4)), known.seconds_saved
        ((-0.5, -1.5), None, 0.25)
    """

    def __init__(self, cache: BlobCache, model: str) -> None:
        self._cache, self._model = cache, model
        self.seconds_saved = 0.0

    def get(self, before: Tokens, target: Tokens) -> tuple[float, ...] | None:
        """The log-probability of each token of `target` behind `before`, if they are known."""
        found = self._cache.get(self._key(before, target))
        if found is None or len(found) != struct.calcsize(_form(target)):
            return None
        seconds, *values = struct.unpack(_form(target), found)
        self.seconds_saved += seconds
        return tuple(values)

    def put(self, before: Tokens, target: Tokens, values: Sequence[float], *, seconds: float) -> None:
        """Keep what was computed in `seconds`."""
        self._cache.put(self._key(before, target), struct.pack(_form(target), seconds, *values))

    def _key(self, before: Tokens, target: Tokens) -> str:
        text = f"log-probabilities {self._model} {before} {target}"
        return hashlib.sha256(text.encode()).hexdigest()


def _form(target: Tokens) -> str:
    return f"<{1 + len(target)}d"
