"""The fakes pass the suites, and the suites catch what breaks the rules."""

import pytest

from ponder.testing import (
    BrokenReranker,
    ConstantReranker,
    FakeEmbedder,
    FakeIndex,
    FakeModels,
    FakeReasoner,
    FakeReranker,
    GreedyReranker,
    ModelUsed,
    build,
)
from ponder.testing.contracts import (
    BlobCacheContract,
    EmbedderContract,
    IndexContract,
    ModelsContract,
    ReasonerContract,
    RerankerContract,
)
from ponder.testing.examples import candidates_of, contents_of_every_kind, rows_of, text_content


class TestFakeReasoner(ReasonerContract):
    def make(self, folder):
        return FakeReasoner(knowledge={"cello": "stringed instrument"})


class TestFakeEmbedder(EmbedderContract):
    def make(self, folder):
        return FakeEmbedder()


class TestFakeReranker(RerankerContract):
    def make(self, folder):
        return FakeReranker()


class TestThinkingFakeReranker(RerankerContract):
    def make(self, folder):
        return FakeReranker("query-aware", reads="media", thinks=True)


class TestConstantReranker(RerankerContract):
    def make(self, folder):
        return ConstantReranker()


class TestFakeIndex(IndexContract):
    def make(self, folder):
        return FakeIndex()


class TestFakeModels(ModelsContract):
    def make(self, folder):
        return build()


class _Dictionary:
    def __init__(self):
        self._values = {}

    def get(self, key):
        return self._values.get(key)

    def put(self, key, value):
        self._values[key] = value


class TestDictionaryAsCache(BlobCacheContract):
    def make(self, folder):
        return _Dictionary()


class TestTheSuitesBite:
    """A suite that passes everything is worth nothing."""

    found = candidates_of(rows_of([text_content("a cello sitting down"), text_content("soup")]))

    def test_a_limit_that_is_ignored(self):
        with pytest.raises(AssertionError):
            RerankerContract().test_keeps_its_limit(GreedyReranker(), self.found, 5)

    def test_a_score_that_is_not_a_number(self):
        with pytest.raises(AssertionError):
            RerankerContract().test_judges_each_candidate_once_given_plenty(
                BrokenReranker(breakage="nan"), self.found
            )

    def test_a_verdict_twice(self):
        with pytest.raises(AssertionError):
            RerankerContract().test_judges_each_candidate_once_given_plenty(
                BrokenReranker(breakage="twice"), self.found
            )

    def test_a_query_thought_beyond_its_tokens(self):
        class Talker(FakeReasoner):
            def reason(self, contents, *, role, tokens):
                return super().reason(contents, role="document", tokens=tokens + 50)

        with pytest.raises(AssertionError):
            ReasonerContract().test_queries_stay_within_their_tokens(Talker(), 7)

    def test_an_index_that_counts_parts_as_items(self):
        class Parts(FakeIndex):
            def search(self, vector, k, where=None):
                return [m for m in super().search(vector, k, where) for _ in range(2)][:k]

        with pytest.raises(AssertionError):
            IndexContract().test_an_item_is_found_once_by_its_best_part(Parts())


@pytest.mark.parametrize("use", ["reasoner", "embedder", "ecr", "query-aware"])
def test_forbidden_models_tell_their_fingerprints_and_nothing_else(use):
    models, free = FakeModels(forbidden=True), FakeModels()
    content = contents_of_every_kind()[0]
    assert models.reasoner.fingerprint == free.reasoner.fingerprint
    assert models.embedder.fingerprint == free.embedder.fingerprint
    with pytest.raises(ModelUsed):
        if use == "reasoner":
            models.reasoner.reason([content], role="document", tokens=8)
        elif use == "embedder":
            models.embedder.embed_queries([content], [None])
        else:
            models.rerankers[use].rerank(content, TestTheSuitesBite.found, limit=100)


def test_another_version_or_knowledge_is_another_fingerprint():
    prints = [
        FakeModels(version="2").reasoner.fingerprint,
        FakeModels().reasoner.fingerprint,
        FakeModels(knowledge={"cello": "instrument"}).reasoner.fingerprint,
    ]
    assert len(set(prints)) == 3


def test_knowledge_makes_findable_what_the_words_do_not_say():
    query = text_content("instrument")
    scores = {}
    for knowledge in ({}, {"cello": "instrument"}):
        models = FakeModels(knowledge=knowledge)
        contents = [text_content("a cello"), text_content("a crane")]
        reasonings = models.reasoner.reason(contents, role="document", tokens=16)
        rows = models.embedder.embed_documents(contents, reasonings)
        vector = models.embedder.embed_queries([query], [None])[0]
        scores[bool(knowledge)] = [float((r.vectors @ vector).max()) for r in rows]
    assert scores[False] == [0, 0]
    assert scores[True][0] > scores[True][1] == 0
