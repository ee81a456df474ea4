"""What a preset's `Models` and a `BlobCache` must do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ponder.protocols import BlobCache, Embedder, Models, Reasoner
from ponder.testing.examples import text_content
from ponder.testing.store import FakeShelf


class ModelsContract:
    """Subclass it and say how to `make` your set of models."""

    def make(self, folder: Path) -> Models:
        """A fresh set; `folder` is empty and its own."""
        raise NotImplementedError

    @pytest.fixture
    def models(self, tmp_path: Path) -> Models:
        return self.make(tmp_path)

    def test_is_a_set_of_models(self, models: Models) -> None:
        assert isinstance(models, Models)
        assert models.name
        assert isinstance(models.reasoner, Reasoner)
        assert isinstance(models.embedder, Embedder)
        assert models.reason_tokens > 0

    def test_rerankers_go_by_their_names(self, models: Models) -> None:
        assert all(name == reranker.name for name, reranker in models.rerankers.items())

    def test_fingerprints_are_told_apart(self, models: Models) -> None:
        prints = [models.reasoner.fingerprint, models.embedder.fingerprint]
        prints += [reranker.fingerprint for reranker in models.rerankers.values()]
        assert len(set(prints)) == len(prints)

    def test_finds_a_text_by_its_words(self, models: Models) -> None:
        shelf = FakeShelf(["a cello in the orchestra", "carrot soup", "a crane of steel"], models)
        vector = models.embedder.embed_queries([text_content("soup of carrots")], [None])[0]
        assert shelf.index.search(vector, 1)[0].id == "1"


class BlobCacheContract:
    """Subclass it and say how to `make` your cache."""

    def make(self, folder: Path) -> BlobCache:
        """An empty cache; `folder` is empty and its own."""
        raise NotImplementedError

    @pytest.fixture
    def cache(self, tmp_path: Path) -> BlobCache:
        return self.make(tmp_path)

    def test_what_was_never_put_is_not_there(self, cache: BlobCache) -> None:
        assert isinstance(cache, BlobCache)
        assert cache.get("0" * 64) is None

    @pytest.mark.parametrize("value", [b"", b"\x00\xff\n", b"x" * 100_000])
    def test_bytes_come_back(self, cache: BlobCache, value: bytes) -> None:
        cache.put("a" * 64, value)
        cache.put("b" * 64, b"another")
        assert cache.get("a" * 64) == value

    def test_putting_again_replaces(self, cache: BlobCache) -> None:
        cache.put("a" * 64, b"old")
        cache.put("a" * 64, b"new")
        assert cache.get("a" * 64) == b"new"
