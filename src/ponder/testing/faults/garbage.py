"""Models that answer with garbage, as broken weights, a wrong card or a server gone wrong do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ponder.records import Content, Embedded, PartReasoning, Reasoning, Role, Usage
from ponder.testing.fakes import FakeEmbedder, FakeModels, FakeReasoner

Garbage = Literal[
    "reason-empty",
    "reason-none",
    "reason-few",
    "reason-count",
    "embed-nan",
    "embed-inf",
    "embed-zero",
    "embed-long",
    "embed-shape",
    "embed-labels",
    "embed-few",
    "embed-ints",
    "embed-none",
]
"""What is wrong with whom."""


@dataclass(eq=False)
class GarbageReasoner(FakeReasoner):
    """A `FakeReasoner` that says nothing ("reason-empty"), gives none, too few, or counts below 0."""

    garbage: str = ""

    def reason(self, contents: Sequence[Content], *, role: Role, tokens: int) -> list[Reasoning]:
        """See `FakeReasoner`."""
        found = super().reason(contents, role=role, tokens=tokens)
        if self.garbage == "reason-empty":
            return [replace(each, text=" ", parts=(PartReasoning("", "\n"),), tokens=1) for each in found]
        if self.garbage == "reason-none":
            return [None for _ in found]  # type: ignore[misc]
        if self.garbage == "reason-few":
            return found[1:]
        return [replace(each, usage=Usage(-1, 0)) for each in found]


@dataclass(eq=False)
class GarbageEmbedder(FakeEmbedder):
    """A `FakeEmbedder` whose document vectors are none."""

    garbage: str = ""

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """See `FakeEmbedder`."""
        found = super().embed_documents(contents, reasonings)
        if self.garbage == "embed-few":
            return found[1:]
        if self.garbage == "embed-none":
            return [None for _ in found]  # type: ignore[misc]
        return [self._spoilt(each) for each in found]

    def _spoilt(self, embedded: Embedded) -> Embedded:
        import numpy as np

        labels, vectors = embedded.labels, embedded.vectors.copy()
        if self.garbage in ("embed-nan", "embed-inf"):
            vectors[-1, 0] = np.nan if self.garbage == "embed-nan" else np.inf
        elif self.garbage == "embed-zero":
            vectors[-1] = 0
        elif self.garbage == "embed-long":
            vectors *= 3
        elif self.garbage == "embed-shape":
            vectors = vectors[:, :-1]
        elif self.garbage == "embed-ints":
            return Embedded(labels, np.eye(len(labels), vectors.shape[1], dtype=np.int64))
        else:
            labels = (*labels, "one more")
        return Embedded(labels, vectors)


def garbage_models(garbage: Garbage, dim: int = 256) -> FakeModels:
    """A set of fakes, with the fingerprints of good ones, one of which gives garbage.

    Example:
        >>> models = garbage_models("embed-nan")
        >>> models.embedder.fingerprint == FakeModels().embedder.fingerprint
        True
    """
    models = FakeModels(dim=dim)
    if garbage.startswith("reason"):
        models.reasoner = GarbageReasoner(models.reasoner.fingerprint, garbage=garbage)
    else:
        models.embedder = GarbageEmbedder(models.embedder.fingerprint, dim, garbage=garbage)
    return models
