"""Which part of a vector is kept, and how what is left is compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ponder.errors import BadArguments

Way = Literal["unit", "length"]
Precision = Literal["float32", "int8"]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is kept of vectors.

    Attributes:
        spans: ``(start, end)`` of the dimensions that are kept, in order.
        way: "unit" brings what is left back to unit norm, as Matryoshka embeddings are used
            (arXiv:2205.13147). "length" leaves it as long as it is, where lengths say how sure a block is,
            and fills it up with one more dimension, which is 0 in queries and need not be stored.
        directions: float32 (dim, kept): what is kept is projected on these orthonormal rows; None for none.
        precision: "int8" rounds documents to 255 steps of their largest component; queries stay as they are.
    """

    spans: tuple[tuple[int, int], ...]
    way: Way = "unit"
    directions: NDArray[np.float32] | None = None
    precision: Precision = "float32"

    @property
    def kept(self) -> int:
        """Dimensions that are taken from the whole vector."""
        return sum(end - start for start, end in self.spans)

    @property
    def dim(self) -> int:
        """Dimensions that have to be stored.

        Example:
            >>> Selection(((0, 3), (5, 9))).dim
            7
        """
        return self.kept if self.directions is None else len(self.directions)

    @property
    def width(self) -> int:
        """Length of the vectors that `of` makes: one more than `dim` with the way "length"."""
        return self.dim + (self.way == "length")

    @property
    def bytes(self) -> int:
        """Of one stored vector; int8 has its step beside it, as float32.

        Example:
            >>> Selection(((0, 128),)).bytes, Selection(((0, 128),), precision="int8").bytes
            (512, 132)
        """
        return 4 * self.dim if self.precision == "float32" else self.dim + 4

    @property
    def fingerprint(self) -> str:
        """All that decides what is kept."""
        spans = "+".join(f"{start}-{end}" for start, end in self.spans)
        turned = ""
        if self.directions is not None:
            turned = f"/{hashlib.sha256(self.directions.tobytes()).hexdigest()[:12]}x{self.dim}"
        return f"dims {spans}{turned}/{self.way}/{self.precision}"

    def of(self, vectors: NDArray[np.float32], *, query: bool = False) -> NDArray[np.float32]:
        """What is left of vectors.

        Args:
            vectors: float32 (n, whole).
            query: They are queries: never rounded, and of unit norm whatever the way.

        Returns:
            float32 (n, `width`). A vector that has nothing in what is kept stays zeros (of a query: it finds
            nothing; of a document with the way "length": only its filling dimension is 1).

        Raises:
            BadArguments: The vectors are shorter than what is to be kept.
        """
        longest = max((end for _, end in self.spans), default=0)
        if vectors.ndim != 2 or vectors.shape[1] < longest:
            raise BadArguments(
                f"dimension {longest} of vectors of shape {vectors.shape}", "dims", "keep fewer dimensions"
            )
        left = np.concatenate([vectors[:, start:end] for start, end in self.spans], axis=1)
        if self.directions is not None:
            left = left @ self.directions.T
        norms = np.linalg.norm(left, axis=1, keepdims=True)
        if query or self.way == "unit":
            left = left / np.where(norms > 0.0, norms, 1.0)
        if self.precision == "int8" and not query:
            step = np.abs(left).max(axis=1, keepdims=True) / 127.0
            left = np.round(left / np.where(step > 0.0, step, 1.0)) * step
        if self.way == "length":
            room = np.zeros((len(left), 1)) if query else 1.0 - (left * left).sum(axis=1, keepdims=True)
            left = np.concatenate([left, np.sqrt(np.maximum(room, 0.0))], axis=1)
        return np.ascontiguousarray(left, np.float32)

    def rounded(self) -> Selection:
        """The same in int8."""
        return replace(self, precision="int8")


def leading(dim: int) -> Selection:
    """The first `dim` dimensions at unit norm: what any embedder can be cut to, and Matryoshka ones should.

    Raises:
        BadArguments: Fewer than one.

    Example:
        >>> leading(64).fingerprint
        'dims 0-64/unit/float32'
    """
    if dim < 1:
        raise BadArguments(f"{dim} dimensions", "dims", "keep at least one")
    return Selection(((0, dim),))


def random_directions(dim: int, whole: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Orthonormal random rows, float32 (dim, whole): what chance keeps (Johnson and Lindenstrauss, 1984).

    Example:
        >>> rows = random_directions(2, 5)
        >>> np.allclose(rows @ rows.T, np.eye(2), atol=1e-6)
        True
    """
    drawn = np.random.default_rng(seed).standard_normal((whole, dim))
    return np.ascontiguousarray(np.linalg.qr(drawn)[0].T, np.float32)


def principal_directions(vectors: Sequence[NDArray[np.float32]], dim: int) -> NDArray[np.float32]:
    """The `dim` directions in which stored vectors differ most, float32 (dim, whole): the best linear cut.

    From the corpus' own vectors, without queries or judgements. Not centred: a dot product with what the
    mean has in common is the same for no two queries, so nothing is taken away from it.
    """
    matrix = np.concatenate(vectors).astype(np.float64)
    _, found = np.linalg.eigh(matrix.T @ matrix)
    return np.ascontiguousarray(found[:, ::-1][:, :dim].T, np.float32)
