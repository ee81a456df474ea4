"""More like some items and less like others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ponder.cascade.recommending import recommend, shared
from ponder.errors import BadArguments, InputNotFound
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache
from ponder.records import Item
from ponder.testing import FakeModels

TEXTS = {
    "kite1": "red kite bird in the sky",
    "kite2": "kite bird on a branch, red",
    "kite3": "red kite bird over the sea",
    "toy": "red kite toy on a string",
    "toy2": "paper kite toy in the wind",
    "whale": "blue whale under water",
    "oak": "tall oak tree with leaves",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    with Cache(tmp_path_factory.mktemp("cache") / "c.sqlite") as cache:
        items = [Item(name, "text", text=text) for name, text in TEXTS.items()]
        yield build_corpus(items, FakeModels(), cache, Settings())


def ids(ranking):
    return [hit.item.id for hit in ranking]


def test_the_nearest_to_the_liked_come_first_and_examples_not_at_all(corpus):
    found = recommend(corpus, ["kite1", "kite2"], k=10)
    assert ids(found)[0] == "kite3"
    assert set(ids(found)) == set(TEXTS) - {"kite1", "kite2"}
    assert found.usage.spent == 0


def test_the_disliked_push_their_like_down(corpus):
    plain = ids(recommend(corpus, ["kite1"]))
    pushed = ids(recommend(corpus, ["kite1"], ["toy2"]))
    assert "toy2" not in pushed
    assert pushed.index("toy") >= [name for name in plain if name != "toy2"].index("toy")


@settings(max_examples=25)
@given(
    liked=st.sets(st.sampled_from(sorted(TEXTS)), min_size=1, max_size=3),
    disliked=st.sets(st.sampled_from(sorted(TEXTS)), max_size=2),
    budget=st.integers(0, 200),
)
def test_the_budget_holds_and_the_answer_is_a_ranking_of_the_others(corpus, liked, disliked, budget):
    disliked -= liked
    found = recommend(corpus, sorted(liked), sorted(disliked), budget=budget, k=len(TEXTS))
    assert found.usage.spent <= budget
    assert sorted(ids(found)) == sorted(set(TEXTS) - liked - disliked)


def test_a_filter_holds_beside_the_examples(corpus):
    found = recommend(corpus, ["kite1"], where="id IN ('whale', 'kite1')")
    assert ids(found) == ["whale"]


def test_judges_read_what_the_liked_share(corpus):
    found = recommend(corpus, ["kite1", "kite3"], budget=500)
    assert found.usage.spent > 0
    assert "kite bird" in found.query.text or {"kite", "bird"} <= set(found.query.text.split())
    nothing = recommend(corpus, ["whale", "oak"], budget=500)
    assert nothing.usage.spent == 0


def test_what_is_no_request_is_refused(corpus):
    with pytest.raises(BadArguments, match="nothing is liked"):
        recommend(corpus, [])
    with pytest.raises(BadArguments, match="liked and disliked: oak"):
        recommend(corpus, ["oak"], ["oak"])
    with pytest.raises(InputNotFound, match="no such item"):
        recommend(corpus, ["oak"], ["elm"])


@given(st.lists(st.text(max_size=200), min_size=1, max_size=5), st.integers(1, 60))
def test_what_is_shared_is_never_longer_than_asked(texts, words):
    assert len(shared(texts, words=words).split()) <= words
