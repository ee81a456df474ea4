"""Shorter vectors from stored ones: nothing is embedded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ponder.cascade.swapped import WithEmbedder
from ponder.evaluate.against.selection import Selection
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.remembered import RememberingEmbedder
from ponder.index.exact import ExactIndex
from ponder.protocols import Embedder
from ponder.records import Content, Embedded, Item, Reasoning, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TruncatedEmbedder:
    """An embedder of which only a part of each vector is kept (`protocols.Embedder`).

    Args:
        embedder: What embeds.
        selection: What is kept; an int keeps the leading dimensions at unit norm.

    Example:
        >>> from ponder.testing import FakeEmbedder
        >>> small = TruncatedEmbedder(FakeEmbedder(), 8)
        >>> small.dim, small.fingerprint
        (8, 'fake-embedder/dims 0-8/unit/float32')
    """

    def __init__(self, embedder: Embedder, selection: Selection | int) -> None:
        if isinstance(selection, int):
            from ponder.evaluate.against.selection import leading

            selection = leading(selection)
        self._embedder, self.selection = embedder, selection

    @property
    def fingerprint(self) -> str:
        """The embedder's, and what is kept of it."""
        return f"{self._embedder.fingerprint}/{self.selection.fingerprint}"

    @property
    def dim(self) -> int:
        """Length of what is left."""
        return self.selection.width

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """The embedder's, cut."""
        found = self._embedder.embed_documents(contents, reasonings)
        return [cut(embedded, self.selection) for embedded in found]

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """The embedder's, cut; float32 (queries, dim)."""
        return self.selection.of(self._embedder.embed_queries(contents, reasonings), query=True)


def cut(embedded: Embedded, selection: Selection) -> Embedded:
    """The same parts with what is kept of their vectors."""
    return Embedded(embedded.labels, selection.of(embedded.vectors))


def truncated(corpus: Corpus, items: Sequence[Item], selection: Selection) -> Corpus:
    """A corpus of the same documents with shorter vectors, made from the stored ones.

    Args:
        corpus: Indexed with whole vectors.
        items: The documents to take over, usually all of the data set's.
        selection: What is kept.

    Returns:
        A corpus whose queries are embedded by the whole embedder, which may remember them, and then cut.
        Judges are shown the whole rows: those of clips read a part's stored meaning.
    """
    index = _CutIndex(corpus.index)
    rows = corpus.index.get([item.id for item in items])
    index.add([replace(row, embedded=cut(row.embedded, selection)) for row in rows])
    whole = corpus.models
    embedder = RememberingEmbedder(TruncatedEmbedder(whole.embedder, selection), _Kept())
    models = WithEmbedder(whole.name, whole.reasoner, embedder, whole.rerankers, whole.reason_tokens)
    return replace(corpus, index=index, models=models)


class _CutIndex(ExactIndex):
    """Searches by cut vectors, hands out whole rows."""

    def __init__(self, whole: ExactIndex) -> None:
        super().__init__()
        self._whole = whole

    def get(self, ids: Sequence[str]) -> list[Row]:
        return self._whole.get(ids)


class _Kept(dict[str, bytes]):
    """A cache that goes with its corpus: cut vectors are made of remembered ones in no time."""

    def put(self, key: str, value: bytes) -> None:
        self[key] = value
