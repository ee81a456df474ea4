"""Deterministic models without weights: small enough to reason about in a test.

They share one idea: a token is a word, knowledge about a word is another word, and likeness is the
number of words in common. Nothing is random, nothing depends on ``PYTHONHASHSEED``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.protocols import BlobCache, Calibrates, Reranker
from ponder.records import Content, Embedded, PartReasoning, Reasoning, Role, Usage
from ponder.testing.judges import FakeReranker
from ponder.testing.words import ModelUsed, digest, number, parts_of, seen, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PICTURE_TOKENS = 49
"""What a picture counts as, as for EfficientNet-Lite0."""


@dataclass(eq=False)
class FakeReasoner:
    """Writes the words of the content, each followed by what is known about it.

    Args:
        fingerprint: As in `ponder.protocols.Reasoner`.
        knowledge: Words to add after a word.
        delay: Seconds to sleep for each content, for tests that kill a process at work.
        forbidden: Raise `ModelUsed` when used.

    Attributes:
        calls: Number of contents reasoned about.

    Example:
        >>> cello = Content("text", "d", text="a cello")
        >>> fake = FakeReasoner(knowledge={"cello": "stringed instrument"})
        >>> fake.reason([cello], role="document", tokens=3)[0].text
        'a cello stringed'
    """

    fingerprint: str = "fake-reasoner"
    knowledge: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    forbidden: bool = False
    calls: int = 0

    def reason(self, contents: Sequence[Content], *, role: Role, tokens: int) -> list[Reasoning]:
        """Reason about each content; a query that cannot be read within `tokens` gets nothing."""
        return [self._one(content, role, tokens) for content in contents]

    def _one(self, content: Content, role: Role, tokens: int) -> Reasoning:
        if self.forbidden:
            raise ModelUsed(self.fingerprint)
        self.calls += 1
        if self.delay:
            time.sleep(self.delay)
        read = len(words(content.text)) + PICTURE_TOKENS * len(content.images)
        room = max(0, tokens - read if role == "query" else tokens)
        own = dict.fromkeys(seen(content))
        everything = [w for word in own for w in (word, *words(self.knowledge.get(word, "")))]
        kept = everything[:room]
        return Reasoning(
            text=" ".join(kept),
            parts=tuple(PartReasoning(*part) for part in parts_of(content)) if role == "document" else (),
            usage=Usage(read, len(kept)) if kept else Usage(),
            tokens=len(kept),
            truncated=len(kept) < len(everything),
            model=self.fingerprint,
        )


@dataclass(eq=False)
class FakeEmbedder:
    """Bags of hashed words as unit vectors: contents with words in common are near.

    Args:
        fingerprint: As in `ponder.protocols.Embedder`.
        dim: Length of the vectors; more of it, fewer collisions of words.
        forbidden: Raise `ModelUsed` when used.

    Attributes:
        calls: Number of contents embedded.

    Example:
        >>> red, kite = Content("text", "r", text="red kite"), Content("text", "k", text="kite")
        >>> a, b = FakeEmbedder().embed_queries([red, kite], [None, None])
        >>> round(float(a @ b), 2)
        0.71
    """

    fingerprint: str = "fake-embedder"
    dim: int = 256
    forbidden: bool = False
    calls: int = 0

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """The whole with its reasoning, then each part: float32 of shape (parts, dim)."""
        import numpy as np

        embedded = []
        for content, reasoning in zip(contents, reasonings, strict=True):
            parts = [(p.label, p.text) for p in reasoning.parts] or parts_of(content)
            whole = (parts[0][0], f"{' '.join(seen(content))} {reasoning.text}")
            rows = [self._vector(text, content.digest + label) for label, text in [whole, *parts[1:]]]
            embedded.append(Embedded(tuple(label for label, _ in parts), np.stack(rows)))
        return embedded

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """float32 array of shape (queries, dim)."""
        import numpy as np

        rows = [
            self._vector(" ".join(seen(content)) + (f" {thought.text}" if thought else ""), content.digest)
            for content, thought in zip(contents, reasonings, strict=True)
        ]
        return np.stack(rows) if rows else np.zeros((0, self.dim), np.float32)

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """Words of the query and its reasoning, and what its pictures count as."""
        read = len(words(content.text)) + PICTURE_TOKENS * len(content.images)
        return read + (len(words(reasoning.text)) if reasoning else 0)

    def _vector(self, text: str, otherwise: str) -> NDArray[np.float32]:
        """Unit vector of `text`; of `otherwise`, a digest, where there is no word."""
        import numpy as np

        if self.forbidden:
            raise ModelUsed(self.fingerprint)
        self.calls += 1
        vector = np.zeros(self.dim, np.float32)
        for word in words(text) or [otherwise]:
            vector[number(word, self.dim)] += 1
        return vector / np.float32(np.linalg.norm(vector))


@dataclass(eq=False)
class FakeModels:
    """The fakes as a set, as a preset would build it.

    Args:
        name: As in ``--models``.
        version: Part of every fingerprint: another version is another set of models.
        knowledge: For the reasoner.
        delay: For the reasoner: seconds for each content.
        forbidden: Every model raises `ModelUsed` when used; fingerprints and `dim` are still known.
        dim: Length of the vectors.
        reason_tokens: Default length of a document's reasoning.
        calibration: What was measured about the judges.

    Example:
        >>> sorted(FakeModels().rerankers)
        ['ecr', 'query-aware']
    """

    name: str = "fake"
    version: str = "1"
    knowledge: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    forbidden: bool = False
    dim: int = 256
    reason_tokens: int = 64
    calibration: Calibrates | None = None

    reasoner: FakeReasoner = field(init=False)
    embedder: FakeEmbedder = field(init=False)
    rerankers: dict[str, Reranker] = field(init=False)

    def __post_init__(self) -> None:
        known = digest(repr(sorted(self.knowledge.items())))[:8] if self.knowledge else "none"
        self.reasoner = FakeReasoner(
            f"fake-reasoner-{self.version}-{known}", self.knowledge, self.delay, self.forbidden
        )
        self.embedder = FakeEmbedder(f"fake-embedder-{self.version}-{self.dim}", self.dim, self.forbidden)
        self.rerankers = {
            "ecr": FakeReranker("ecr", forbidden=self.forbidden),
            "query-aware": FakeReranker("query-aware", reads="media", thinks=True, forbidden=self.forbidden),
        }


def build(*, cache: BlobCache | None = None, calibration: str = "", delay_ms: int = 0) -> FakeModels:
    """The fakes as an entry point of the group ``ponder.models`` would give them.

    Args:
        cache: Taken for the signature's sake: the fakes make nothing worth keeping.
        calibration: A file of ``ponder calibrate``; "" for none.
        delay_ms: Milliseconds that reasoning about a content takes.
    """
    from ponder.rerank.calibration import read_calibration

    return FakeModels(
        name=f"fake,delay_ms={delay_ms}" if delay_ms else "fake",
        delay=delay_ms / 1000,
        calibration=read_calibration(Path(calibration)) if calibration else None,
    )
