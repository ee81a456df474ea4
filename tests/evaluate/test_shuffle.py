import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import InputInvalid
from ponder.evaluate.shuffle import derangement, shuffled
from ponder.records import PartReasoning, Reasoning


@given(st.integers(2, 60), st.integers(0, 1000))
def test_a_derangement_is_a_permutation_that_moves_everything(n, seed):
    order = derangement(n, seed)
    assert sorted(order) == list(range(n))
    assert all(place != other for place, other in enumerate(order))
    assert order == derangement(n, seed)


def test_one_document_has_no_other():
    with pytest.raises(InputInvalid, match="one document"):
        shuffled([Reasoning("alone")], seed=0)


def test_passages_stay_and_thoughts_go():
    page = Reasoning(
        "about the page", (PartReasoning("", "page"), PartReasoning("chars=0-9", "own words")), tokens=3
    )
    clip = Reasoning(
        "about the clip", (PartReasoning("", "clip"), PartReasoning("t=0,2", "a wave")), tokens=5
    )
    first, second = shuffled([page, clip], seed=0)
    assert (first.text, first.tokens) == ("about the clip", 5)
    assert [(part.label, part.text) for part in first.parts] == [
        ("", "clip"),
        ("t=0,2", "a wave"),
        ("chars=0-9", "own words"),
    ]
    assert [part.text for part in second.parts] == ["page"]
