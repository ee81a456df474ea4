"""The price of a curve: a bound for queries, a reckoning for documents, and nothing written."""

import pytest

from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.scaling import Ladder, Runs, Way
from ponder.evaluate.scaling.documents import price_documents
from ponder.evaluate.scaling.pricing import price_of
from ponder.evaluate.settings import Settings
from ponder.index.cache import Overlay
from ponder.testing import FakeModels

WAYS = [Way("on", "uniform"), Way("on", "adaptive"), Way("off", "uniform"), Way("shuffled", "uniform")]
SETTINGS = Settings(budgets=(0, 30, 300))


@pytest.fixture
def runs(tmp_path, dataset):
    return Runs(tmp_path / "out", dataset, FakeModels(), SETTINGS)


def climb(runs, dataset, cache, ways):
    def build(mode):
        settings = Settings(budgets=(0, 30, 300), reasoning=mode)
        return build_corpus(dataset.items, FakeModels(), cache, settings)

    return list(Ladder(runs, dataset, build, SETTINGS, []).climb(ways))


def priced(runs, dataset, cache):
    overlay = Overlay(cache)
    return price_of(dataset, WAYS, SETTINGS, FakeModels(), runs, overlay)


def test_the_price_is_a_bound_and_writes_nothing(runs, dataset, cache, tmp_path):
    price = priced(runs, dataset, cache)
    assert (price.runs, price.kept) == (12, 0)
    assert price.tokens == len(WAYS) * len(dataset.queries) * 330
    assert len(cache) == 0
    assert not (tmp_path / "out").exists()
    kept = climb(runs, dataset, cache, WAYS)
    spent = sum(row["tokens"]["read"] + row["tokens"]["written"] for run in kept for row in run.queries)
    assert 0 < spent <= price.tokens


def test_runs_that_are_kept_cost_nothing(runs, dataset, cache):
    climb(runs, dataset, cache, WAYS[:2])
    price = priced(runs, dataset, cache)
    assert (price.runs, price.kept) == (6, 6)
    assert price.tokens == 2 * len(dataset.queries) * 330
    climb(runs, dataset, cache, WAYS)
    price = priced(runs, dataset, cache)
    assert (price.runs, price.kept, price.tokens, price.minutes) == (0, 12, 0, 0)
    assert (price.documents.reason, price.documents.embed) == (0, 0)


def test_documents_that_no_cache_has_are_priced(dataset, cache):
    count = len(dataset.items)

    def price(*modes):
        return price_documents(dataset, modes, SETTINGS, FakeModels(), Overlay(cache))

    both = price("on", "off")
    assert (both.reason, both.embed) == (2 * count, 2 * count)
    assert both.tokens > 0
    assert both.seconds > 0
    shared = price("on", "shuffled")
    assert (shared.reason, shared.embed) == (count, 2 * count)
    build_corpus(dataset.items, FakeModels(), cache, Settings(reasoning="on"))
    left = price("on", "off", "shuffled")
    assert (left.reason, left.embed) == (count, 2 * count)
    for mode in ("off", "shuffled"):
        build_corpus(dataset.items, FakeModels(), cache, Settings(reasoning=mode))
    done = price("on", "off", "shuffled")
    assert (done.reason, done.embed, done.tokens, done.seconds) == (0, 0, 0, 0)


def test_reasoning_costs_what_documents_cost(dataset, cache):
    found = price_documents(dataset, ["on"], SETTINGS, FakeModels(), Overlay(cache))
    corpus = build_corpus(dataset.items, FakeModels(), cache, SETTINGS)
    cost = corpus.tokens_per_document
    spent = len(dataset.items) * (cost.read + cost.written)
    assert found.tokens == pytest.approx(spent, rel=0.5)
