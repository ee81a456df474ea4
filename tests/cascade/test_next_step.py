"""What one more step would cost and change: reckoned without asking anybody."""

import pytest

from ponder.cascade import Rerank, Retrieve
from ponder.cascade.nextstep import most_open
from ponder.records import NextStep
from ponder.testing import BrokenReranker, FakeModels, FakeReranker, FakeShelf
from ponder.testing.words import words


class Priced(FakeReranker):
    def price(self, query, candidates):
        read = sum(1 + len(words(each.row.reasoning.text)) for each in candidates)
        return len(words(query.text)) + read


def searching(judge, count=10, *more):
    models = FakeModels()
    models.rerankers["ecr"] = judge
    shelf = FakeShelf([*more, *(f"red kite {number}" for number in range(count))], models)
    return (Retrieve(20) >> Rerank("ecr", 10, weight=1.0)).on(shelf)


@pytest.mark.parametrize("allocate", ["uniform", "adaptive"])
@pytest.mark.parametrize("budget", [0, 10, 20, 500])
def test_explaining_changes_nothing_and_costs_nothing(allocate, budget):
    search = searching(Priced("ecr", spread=0.3))
    plain = search("red kite", budget=budget, allocate=allocate)
    explained = search("red kite", budget=budget, allocate=allocate, explain=True)
    assert plain.next is None
    assert (plain.hits, plain.usage, plain.trace) == (explained.hits, explained.usage, explained.trace)


def test_the_price_is_what_the_next_step_costs():
    search = searching(Priced("ecr", spread=0.3))
    before = search("red kite", budget=18, allocate="adaptive", explain=True)
    assert before.next == NextStep("ecr", 4, 2 + 4 * 4, True, "6 could still lead, 4 are judged next")
    after = search("red kite", budget=18 + before.next.tokens, allocate="adaptive")
    assert after.usage.spent == before.usage.spent + before.next.tokens


def test_uniform_would_judge_all_that_are_left():
    found = searching(Priced("ecr", spread=0.3))("red kite", budget=18, explain=True)
    assert (found.next.candidates, found.next.tokens, found.next.changes) == (6, 2 + 6 * 4, True)


def test_a_safe_lead_is_said_to_be_safe():
    search = searching(Priced("ecr", spread=0.001), 9, "red kite steel")
    found = search("red kite steel", budget=500, allocate="adaptive", explain=True)
    assert found.usage.spent == 0
    assert found.next.changes is False
    assert found.next.candidates == 10
    assert found.next.why.startswith("the lead of ")


def test_an_unknown_price_says_why():
    found = searching(FakeReranker("ecr", spread=0.3))("red kite", explain=True)
    assert found.next.tokens is None
    assert found.next.why.startswith("the judge cannot say beforehand what it costs; ")


def test_a_judge_that_has_to_see_all_leaves_it_open():
    found = searching(FakeReranker("ecr", spread=None))("red kite", explain=True)
    assert found.next.changes is None
    assert "see all candidates together" in found.next.why


def test_nobody_is_left():
    assert searching(Priced("ecr", spread=1.0))("red kite", budget=900, explain=True).next is None
    unreadable = searching(BrokenReranker("ecr", spread=1.0))
    assert unreadable("red kite", budget=900, explain=True).next is None


def test_what_may_change_something_comes_before_what_may_not():
    safe = NextStep("ecr", 4, 9, False, "safe")
    opened = NextStep("query-aware", 2, None, True, "open")
    assert most_open([safe, opened]) == opened
    assert most_open([safe]) == safe
    assert most_open([]) is None
    assert most_open([NextStep("ecr", 4, 0, False, "passed over")]) is None
