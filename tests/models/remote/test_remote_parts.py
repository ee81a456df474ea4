"""Embedder and reranker over HTTP keep their contracts."""

import numpy as np
import pytest

from ponder.embed.remote import RemoteEmbedder
from ponder.errors import BackendFailed
from ponder.records import Reasoning
from ponder.rerank.remote import RemoteReranker
from ponder.testing.contracts import EmbedderContract, RerankerContract
from ponder.testing.examples import picture_content, text_content

DIM = 8


class TestEmbedder(EmbedderContract):
    @pytest.fixture(params=[True, False], ids=["pictures", "words"])
    def embedder(self, stub, request):
        return RemoteEmbedder(stub.url, "m", DIM, pictures=request.param, batch=2)

    def test_a_text_is_nearest_to_itself(self, embedder):
        pytest.skip("the stub's vectors are noise")


@pytest.mark.parametrize("route", ["rerank", "score"])
class TestReranker(RerankerContract):
    @pytest.fixture
    def reranker(self, stub, route):
        return RemoteReranker("far", stub.url, "m", route=route)

    def test_the_best_comes_first(self, reranker, found):
        judged = reranker.rerank(self.query(), found, limit=10_000).verdicts
        assert max(judged, key=lambda verdict: verdict.score).id == "1"


def test_pictures_are_sent_as_messages(stub):
    embedder = RemoteEmbedder(stub.url, "m", DIM, pictures=True)
    embedder.embed_documents([picture_content((200, 0, 0))], [Reasoning("a red square")])
    [(path, body, _)] = stub.seen
    assert path == "/embeddings"
    kinds = [part["type"] for part in body["messages"][-1]["content"]]
    assert kinds == ["image_url", "text"]


def test_vectors_of_another_width_or_without_numbers_are_refused(stub):
    texts = [text_content("a cello")]
    with pytest.raises(BackendFailed, match=r"shape \(1, 8\), not \(1, 16\)"):
        RemoteEmbedder(stub.url, "m", 16).embed_queries(texts, [None])
    stub.faults = [lambda body: (200, {"data": [{"index": 0, "embedding": [0.0] * DIM}]})]
    with pytest.raises(BackendFailed, match="empty or not finite"):
        RemoteEmbedder(stub.url, "m", DIM).embed_queries(texts, [None])
    stub.faults = [lambda body: (200, {"data": [{"index": 0}]})]
    with pytest.raises(BackendFailed, match="embedding"):
        RemoteEmbedder(stub.url, "m", DIM).embed_queries(texts, [None])


def test_vectors_come_back_in_their_order(stub):
    embedder = RemoteEmbedder(stub.url, "m", DIM, batch=3)
    texts = [text_content(word) for word in ("a", "b", "c", "d", "e")]
    together = embedder.embed_queries(texts, [None] * 5)
    alone = np.concatenate([embedder.embed_queries([text], [None]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
