"""How wide a race is: what a judge tells of itself, stretched to what was measured, and who comes after."""

import math
from dataclasses import replace

import pytest

from ponder.cascade import Rerank, Retrieve
from ponder.cascade.weighing import measured_swing
from ponder.records import Trust, Usage
from ponder.testing import FakeModels, FakeReranker, FakeShelf

TEXTS = ["red kite kite", "red kite one", "red two three"]
TRUST = Trust(1.0, 10.0, "measured", stretch=1.0)


class Known:
    """A calibration that trusts every judge alike, but for what is said of a stage."""

    embedder = ""
    fingerprint = "known"

    def __init__(self, trust, **stages):
        self.all, self.stages = trust, stages

    def trust(self, stage, judge, kind):
        return self.stages.get(stage.replace("-", "_"), self.all)

    def chance(self, stage, judge, kind, score, mean):
        return None


class Sitting(FakeReranker):
    """A judge that reads the query in the first round alone, and says what it costs."""

    read = False
    asked = ()

    def sitting(self):
        other = replace(self)
        other.asked = self.asked = []
        return other

    def price(self, query, candidates):
        return len(candidates) + (0 if self.read else 100)

    def rerank(self, query, candidates, *, limit):
        self.asked.append(limit)
        self.read = True
        return super().rerank(query, candidates, limit=limit)


def spent(trust, spread, **stages):
    models = FakeModels(calibration=Known(trust, **stages))
    models.rerankers["ecr"] = FakeReranker("ecr", spread=spread)
    search = (Retrieve(10) >> Rerank("ecr", 5)).on(FakeShelf(TEXTS, models))
    return search("red kite kite", budget=500, allocate="adaptive").usage.spent


@pytest.mark.parametrize("said", [None, math.inf, math.nan])
def test_what_a_judge_does_not_know_of_itself_was_measured(said):
    assert measured_swing(TRUST, said) == TRUST.swing


def test_a_judge_that_says_little_of_a_query_is_asked_about_fewer():
    assert spent(TRUST, spread=1e-6) == 0
    assert spent(TRUST, spread=10.0) > 0


def test_a_judge_that_thinks_too_little_of_itself_is_stretched():
    assert spent(replace(TRUST, stretch=1e7), spread=1e-6) > 0


def test_without_a_stretch_its_own_word_counts_for_nothing():
    assert spent(replace(TRUST, stretch=None), spread=1e-6) == spent(TRUST, spread=10.0)


@pytest.mark.parametrize("cascade", ["alone", "before one that says nothing", "before another"])
def test_a_race_that_hands_its_order_on_is_as_wide_as_was_measured_for_it(cascade):
    """Wide before a judge that will choose among what it is handed; narrow where it has the last word."""
    ecr, silent = replace(TRUST, width=100.0, width_last=0.0), replace(TRUST, weight=0.0)
    later = silent if cascade == "before one that says nothing" else TRUST
    models = FakeModels(calibration=Known(TRUST, ecr=ecr, query_aware=later))
    models.rerankers["ecr"] = FakeReranker("ecr", spread=0.1)
    models.rerankers["query-aware"] = FakeReranker("query-aware", spread=0.1)
    stages = Retrieve(10) >> Rerank("ecr", 5)
    if cascade != "alone":
        stages = stages >> Rerank("query-aware", 3)
    ranking = stages.on(FakeShelf(TEXTS, models))("red kite kite", budget=500, allocate="adaptive")
    judged = ranking.by_stage.get("ecr", Usage()).spent > 0
    assert judged == (cascade == "before another")


def test_a_later_round_is_offered_at_what_it_costs_a_judge_that_sits():
    """From a common purse a question gets its price: a second round has no query to pay for."""
    texts = [f"red kite {n}" for n in range(8)]
    models = FakeModels()
    judge = models.rerankers["ecr"] = Sitting("ecr", spread=10.0)
    search = (Retrieve(20) >> Rerank("ecr", 8, weight=1.0)).on(FakeShelf(texts, models))
    search.batch(["red kite"], budget=5000, allocate="adaptive")
    assert judge.asked[:2] == [104, 4]
