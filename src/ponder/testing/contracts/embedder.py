"""What every `Embedder` must do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ponder.protocols import Embedder, PricesQueries
from ponder.records import Content, Reasoning
from ponder.testing.examples import contents_of_every_kind, text_content
from ponder.testing.fakes import FakeReasoner

NEAR = 1e-3
"""Batches may differ from single calls by rounding, not by more."""


class EmbedderContract:
    """Subclass it and say how to `make` your embedder."""

    def make(self, folder: Path) -> Embedder:
        """A fresh embedder; `folder` is empty and its own."""
        raise NotImplementedError

    def contents(self) -> Sequence[Content]:
        """What it is tried on."""
        return contents_of_every_kind()

    def reasonings(self, contents: Sequence[Content]) -> Sequence[Reasoning]:
        """Reasoning about `contents`, as the embedder expects it from its family's reasoner."""
        return FakeReasoner().reason(contents, role="document", tokens=64)

    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        return self.make(tmp_path)

    def test_is_an_embedder(self, embedder: Embedder) -> None:
        assert isinstance(embedder, Embedder)
        assert embedder.fingerprint

    def test_nothing_in_nothing_out(self, embedder: Embedder) -> None:
        assert embedder.embed_documents([], []) == []
        assert embedder.embed_queries([], []).shape == (0, embedder.dim)

    def test_documents_have_a_unit_vector_for_each_part(self, embedder: Embedder) -> None:
        contents = self.contents()
        for embedded in embedder.embed_documents(contents, self.reasonings(contents)):
            assert embedded.labels[0] == ""
            assert len(set(embedded.labels)) == len(embedded.labels)
            assert embedded.vectors.shape == (len(embedded.labels), embedder.dim)
            assert embedded.vectors.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-4)

    def test_documents_without_reasoning_are_embedded_too(self, embedder: Embedder) -> None:
        contents = [content for content in self.contents() if content.text]
        for embedded in embedder.embed_documents(contents, [Reasoning() for _ in contents]):
            np.testing.assert_allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-4)

    def test_queries_have_unit_vectors(self, embedder: Embedder) -> None:
        queries = self.contents()
        for thoughts in ([None] * len(queries), list(self.reasonings(queries))):
            vectors = embedder.embed_queries(queries, thoughts)
            assert vectors.shape == (len(queries), embedder.dim)
            assert vectors.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)

    def test_a_batch_is_its_parts(self, embedder: Embedder) -> None:
        contents = self.contents()
        reasonings = self.reasonings(contents)
        together = embedder.embed_documents(contents, reasonings)
        for content, reasoning, embedded in zip(contents, reasonings, together, strict=True):
            alone = embedder.embed_documents([content], [reasoning])[0]
            assert alone.labels == embedded.labels
            np.testing.assert_allclose(alone.vectors, embedded.vectors, atol=NEAR)
        queries = embedder.embed_queries(contents, [None] * len(contents))
        for content, vector in zip(contents, queries, strict=True):
            np.testing.assert_allclose(embedder.embed_queries([content], [None])[0], vector, atol=NEAR)

    @pytest.mark.parametrize("reasoned", [True, False], ids=["reasoning", "no reasoning"])
    def test_a_text_is_nearest_to_itself(self, embedder: Embedder, reasoned: bool) -> None:
        texts = [
            text_content(t)
            for t in ("a cello in the orchestra", "steel cranes at the harbour", "soup with carrots")
        ]
        reasonings = self.reasonings(texts) if reasoned else [Reasoning()] * len(texts)
        documents = embedder.embed_documents(texts, reasonings)
        queries = embedder.embed_queries(texts, [None] * len(texts))
        scores = np.array([[(d.vectors @ q).max() for d in documents] for q in queries])
        assert scores.argmax(axis=1).tolist() == [0, 1, 2]

    def test_prices_grow_with_the_thought(self, embedder: Embedder) -> None:
        if not isinstance(embedder, PricesQueries):
            pytest.skip("prices no queries, so no cascade thinks with it")
        query = text_content("an instrument")
        plain = embedder.query_tokens(query, None)
        assert 0 < plain < embedder.query_tokens(query, Reasoning(text="cello violin viola double bass"))
