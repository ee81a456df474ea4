"""Fakes and contract suites, for our tests and for the authors of plug-ins.

The fakes need no weights and are deterministic. The suites in `ponder.testing.contracts` say in code
what `ponder.protocols` says in words; they need pytest.
"""

from ponder.testing.engine import FakeEngine
from ponder.testing.fakes import FakeEmbedder, FakeModels, FakeReasoner, build
from ponder.testing.judges import (
    BrokenReranker,
    ConstantReranker,
    FakeReranker,
    GreedyReranker,
    SpoiltReranker,
)
from ponder.testing.store import FakeIndex, FakeShelf
from ponder.testing.words import ModelUsed

__all__ = [
    "BrokenReranker",
    "ConstantReranker",
    "FakeEmbedder",
    "FakeEngine",
    "FakeIndex",
    "FakeModels",
    "FakeReasoner",
    "FakeReranker",
    "FakeShelf",
    "GreedyReranker",
    "ModelUsed",
    "SpoiltReranker",
    "build",
]
