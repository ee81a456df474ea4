"""How long models take, apart from everything around them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ponder.protocols import Models
from ponder.records import Content, Embedded, Reasoning, Role


@dataclass(slots=True)
class Clock:
    """Seconds so far."""

    seconds: float = 0.0

    def take(self) -> float:
        """The seconds since this was asked last."""
        taken, self.seconds = self.seconds, 0.0
        return taken


@dataclass(slots=True)
class TimedModels:
    """A set of models whose reasoner and embedder are timed at work on documents; otherwise as they were.

    Example:
        >>> from ponder.testing import FakeModels
        >>> timed = TimedModels(FakeModels(delay=0.01))
        >>> _ = timed.reasoner.reason([Content("text", "d", text="kite")], role="document", tokens=8)
        >>> timed.clock.take() >= 0.01, timed.clock.take()
        (True, 0.0)
    """

    models: Models
    clock: Clock = field(default_factory=Clock)

    @property
    def reasoner(self) -> Any:
        """The reasoner, timed."""
        return _Reasoner(self.models.reasoner, self.clock)

    @property
    def embedder(self) -> Any:
        """The embedder, timed."""
        return _Embedder(self.models.embedder, self.clock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.models, name)


@dataclass(slots=True)
class _Reasoner:
    inner: Any
    clock: Clock

    def reason(self, contents: Sequence[Content], *, role: Role, tokens: int) -> list[Reasoning]:
        began = time.perf_counter()
        found: list[Reasoning] = self.inner.reason(contents, role=role, tokens=tokens)
        self.clock.seconds += time.perf_counter() - began
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@dataclass(slots=True)
class _Embedder:
    inner: Any
    clock: Clock

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        began = time.perf_counter()
        found: list[Embedded] = self.inner.embed_documents(contents, reasonings)
        self.clock.seconds += time.perf_counter() - began
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
