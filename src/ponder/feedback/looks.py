"""What tells copies: how close documents are to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.protocols import HasBlocks
from ponder.records import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What tells copies: documents' looks, where the embedder has them apart, and else their vectors.

    Closeness is a cosine, and 1 for equal contents. Texts, which have no looks, and pages, which all look
    alike (by looks a page of `documents` had 216 copies among 378), are compared by the whole vector among
    themselves, and are at 0 to a picture.

    Attributes:
        looks: float32 (items, of the block), unit norm or 0.
        whole: float32 (items, dim), unit norm, or 0 for those that are compared by looks; None where all are.
        digests: Of the contents.
    """

    looks: NDArray[np.float32]
    whole: NDArray[np.float32] | None
    digests: NDArray[Any]

    @classmethod
    def of(cls, rows: Sequence[Row], embedder: object) -> Looks:
        """Of some rows, as an embedder made them."""
        import numpy as np

        vectors = np.stack([row.embedded.vectors[0] for row in rows])
        blocks = embedder.blocks if isinstance(embedder, HasBlocks) else {}
        begin, end = blocks.get("looks", (0, vectors.shape[1]))
        pages = np.array([row.item.kind == "page" for row in rows])
        looks = _unit(np.where(pages[:, None], 0.0, vectors[:, begin:end]))
        blind = np.equal(np.linalg.norm(looks, axis=1), 0.0)
        whole = None if not np.any(blind) else _unit(np.where(blind[:, None], vectors, 0.0))
        return cls(looks, whole, np.array([row.digest for row in rows]))

    def close(self, some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
        """Closeness of documents by place: float32 (some, others)."""
        import numpy as np

        close = self.looks[some] @ self.looks[others].T
        if self.whole is not None:
            close = close + self.whole[some] @ self.whole[others].T
        same = np.equal.outer(self.digests[some], self.digests[others])
        return np.where(same, np.float32(1.0), close)

    def closest(self, some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float32]:
        """Closeness to whichever of the others is closest, in blocks of `some`: float32 (some,)."""
        import numpy as np

        parts = [self.close(some[at : at + _BLOCK], others).max(axis=1) for at in range(0, len(some), _BLOCK)]
        return np.concatenate([np.zeros(0, np.float32), *parts])


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1.0), np.float32)
