"""Embedder and reranker over HTTP keep their contracts."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ponder.embed.conditioned import Format
from ponder.embed.remote import RemoteEmbedder
from ponder.errors import BackendFailed
from ponder.records import Reasoning
from ponder.rerank.remote import RemoteReranker
from ponder.rerank.showing import ShowReasoning
from ponder.testing.contracts import EmbedderContract, RerankerContract
from ponder.testing.examples import candidates_of, picture_content, rows_of, text_content

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


def test_an_embedder_that_sees_is_sent_words_and_pictures_in_the_same_template(stub):
    embedder = RemoteEmbedder(stub.url, "m", DIM, pictures=True)
    embedder.embed_documents([picture_content((200, 0, 0))], [Reasoning("a red square")])
    embedder.embed_queries([text_content("a red square")], [None])
    (path, document, _), (_, query, _) = stub.seen
    assert path == "/embeddings"
    kinds = [part["type"] for part in document["messages"][1]["content"]]
    assert kinds == ["image_url", "text"]
    assert query["messages"][1]["content"] == "a red square"
    for body in (document, query):
        assert [each["role"] for each in body["messages"]] == ["system", "user", "assistant"]
        assert body["continue_final_message"]
        assert "input" not in body


def test_without_an_instruction_words_go_as_they_are(stub):
    embedder = RemoteEmbedder(stub.url, "m", DIM, form=Format(document="", query="Find it."))
    embedder.embed_documents([text_content("a cello")], [Reasoning("a cello")])
    embedder.embed_queries([text_content("a cello")], [None])
    assert [body["input"] for _, body, _ in stub.seen] == [
        ["a cello"],
        ["Instruct: Find it.\nQuery: a cello"],
    ]


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


def test_vectors_for_other_inputs_are_refused(stub):
    twice = [{"index": 0, "embedding": [1.0] * DIM}] * 2
    stub.faults = [lambda body: (200, {"data": twice})]
    texts = [text_content("a"), text_content("b")]
    with pytest.raises(BackendFailed, match=r"vectors \[0\] for 2 inputs"):
        RemoteEmbedder(stub.url, "m", DIM).embed_queries(texts, [None, None])


def test_pictures_are_not_left_out_of_a_judgement_in_silence(stub):
    class WithPicture(ShowReasoning):
        def candidate(self, candidate):
            return replace(super().candidate(candidate), pictures=(Image.new("RGB", (4, 4)),))

    rows = candidates_of(rows_of([text_content("a cello"), text_content("soup")]))
    judged = RemoteReranker("far", stub.url, "m", WithPicture()).rerank(text_content("a"), rows, limit=999)
    assert [verdict.score for verdict in judged.verdicts] == [None, None]
    assert "words only" in judged.verdicts[0].note
    assert stub.seen == []


def test_a_total_is_the_servers_own_count(stub):
    rows = candidates_of(rows_of([text_content("a cello")]))
    reply = {"results": [{"index": 0, "relevance_score": 0.5}], "usage": {"total_tokens": 17}}
    stub.faults = [lambda body: (200, reply)]
    judged = RemoteReranker("far", stub.url, "m").rerank(text_content("a cello"), rows, limit=999)
    assert judged.usage.spent == 17


def test_vectors_come_back_in_their_order(stub):
    embedder = RemoteEmbedder(stub.url, "m", DIM, batch=3)
    texts = [text_content(word) for word in ("a", "b", "c", "d", "e")]
    together = embedder.embed_queries(texts, [None] * 5)
    alone = np.concatenate([embedder.embed_queries([text], [None]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
