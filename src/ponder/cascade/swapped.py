"""A set of models with another embedder, and otherwise as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ponder.protocols import Calibrated, Calibrates, Embedder, Models, Reasoner, Reranker

E = TypeVar("E", bound=Embedder)


@dataclass(frozen=True, slots=True)
class WithEmbedder(Generic[E]):
    """A set of models (`protocols.Models`) whose embedder was swapped."""

    name: str
    reasoner: Reasoner
    embedder: E
    rerankers: Mapping[str, Reranker]
    reason_tokens: int
    calibration: Calibrates | None = None

    @classmethod
    def of(cls, models: Models, embedder: E) -> WithEmbedder[E]:
        """`models` with `embedder` in the place of theirs.

        Example:
            >>> from ponder.testing import FakeModels
            >>> models = FakeModels()
            >>> WithEmbedder.of(models, models.embedder).name
            'fake'
        """
        return WithEmbedder(
            models.name,
            models.reasoner,
            embedder,
            dict(models.rerankers),
            models.reason_tokens,
            models.calibration if isinstance(models, Calibrated) else None,
        )
