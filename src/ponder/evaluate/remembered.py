"""Models whose plain query embeddings are kept in the user's cache, so that no run embeds one again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ponder.cascade.swapped import WithEmbedder
from ponder.index.cache import cache_key
from ponder.index.codecs import cached_embedded, encode_embedded
from ponder.protocols import (
    BlobCache,
    Embedder,
    HasBlocks,
    Models,
    PricesQueries,
)
from ponder.records import Content, Embedded, Reasoning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RememberingEmbedder:
    """An embedder that looks in a cache before it embeds a plain query.

    Args:
        embedder: What embeds.
        cache: Where vectors are kept, by content, instruction and the embedder's fingerprint.

    Attributes:
        seconds: Time spent in `embed_queries` so far, so that a timing can leave it out: whether it is
            paid depends on what ran before.
    """

    def __init__(self, embedder: Embedder, cache: BlobCache) -> None:
        self._embedder, self._cache = embedder, cache
        self.seconds = 0.0

    @property
    def fingerprint(self) -> str:
        """The embedder's."""
        return self._embedder.fingerprint

    @property
    def dim(self) -> int:
        """The embedder's."""
        return self._embedder.dim

    @property
    def blocks(self) -> dict[str, tuple[int, int]]:
        """The embedder's; none if it has none."""
        return dict(self._embedder.blocks) if isinstance(self._embedder, HasBlocks) else {}

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """The embedder's."""
        return self._embedder.embed_documents(contents, reasonings)

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """float32 array of shape (queries, dim); only queries without reasoning are remembered."""
        import numpy as np

        began = time.perf_counter()
        rows = [self._one(*each) for each in zip(contents, reasonings, strict=True)]
        self.seconds += time.perf_counter() - began
        return np.concatenate(rows) if rows else self._embedder.embed_queries([], [])

    def _one(self, content: Content, reasoning: Reasoning | None) -> NDArray[np.float32]:
        if reasoning is not None:
            return self._embedder.embed_queries([content], [reasoning])
        key = cache_key(
            what="query vector",
            digest=content.digest,
            kind=content.kind,
            text=content.text,
            text_source=content.text_source,
            instruction=content.instruction,
            embedder=self.fingerprint,
        )
        found = cached_embedded(self._cache, key)
        if found is None:
            found = Embedded(("",), self._embedder.embed_queries([content], [None]))
            self._cache.put(key, encode_embedded(found))
        return found.vectors


class PricingRememberingEmbedder(RememberingEmbedder):
    """The same over an embedder that says what queries cost: the cascade's `Think` asks it.

    Args:
        embedder: What embeds and prices.
        cache: As for `RememberingEmbedder`.
    """

    def __init__(self, embedder: Embedder, cache: BlobCache) -> None:
        if not isinstance(embedder, PricesQueries):
            raise TypeError(f"{type(embedder).__name__} cannot say what a query costs")
        super().__init__(embedder, cache)
        self._pricing = embedder

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """The embedder's."""
        return self._pricing.query_tokens(content, reasoning)


RememberingModels = WithEmbedder[RememberingEmbedder]


def remembering(models: Models, cache: BlobCache) -> RememberingModels:
    """`models` with an embedder that remembers plain queries in `cache`."""
    prices = isinstance(models.embedder, PricesQueries)
    kind = PricingRememberingEmbedder if prices else RememberingEmbedder
    embedder = kind(models.embedder, cache)
    return WithEmbedder.of(models, embedder)
