"""Multiple choice by likelihood, with a language model that counts what it reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import WordLanguage

from ponder.records import Choice, Content, Reasoning
from ponder.rerank.choosing import LikelihoodChooser
from ponder.testing.examples import page_content, picture_content

PICTURE = picture_content((1, 2, 3))
WORDS = st.lists(st.sampled_from(["koala", "zebra", "cello", "crane", "soup"]), min_size=1, max_size=9).map(
    " ".join
)


def choose(content: Content, said: str, candidates: list[str], limit: int, question="What is it?") -> Choice:
    chooser = LikelihoodChooser(WordLanguage())
    return chooser.choose(content, Reasoning(text=said), question, candidates, limit=limit)


@given(st.lists(WORDS, max_size=5), WORDS, WORDS, st.integers(0, 120))
def test_spends_no_more_than_the_limit_and_scores_all_or_none(candidates, said, question, limit):
    language = WordLanguage()
    choice = LikelihoodChooser(language).choose(
        PICTURE, Reasoning(text=said), question, candidates, limit=limit
    )
    assert choice.usage.spent == language.read <= limit
    assert len(choice.scores) in (0, len(candidates))


def test_what_is_seen_decides():
    candidates = ["zebra", "koala"]
    choice = choose(PICTURE, "koala, a kind of bear", candidates, 100)
    assert choice.scores[1] > choice.scores[0]
    assert len(set(choose(PICTURE, "", candidates, 100).scores)) == 1


def test_a_long_answer_is_no_worse_for_its_length():
    choice = choose(PICTURE, "koala zebra crane", ["koala", "koala zebra crane"], 100)
    assert choice.scores[0] == pytest.approx(choice.scores[1])


def test_where_tokens_are_few_less_is_seen_and_the_question_stands():
    said = "koala " * 200
    costs = {limit: choose(PICTURE, said, ["zebra", "koala"], limit).usage.read for limit in (4, 5, 20, 500)}
    # Question, three words of it and "Answer"; one-word answers are predicted, never read.
    assert costs[4] == 0
    assert costs[5] == 5
    assert costs[20] == 20
    assert costs[500] == 5 + 96


def test_a_page_is_not_called_a_picture():
    page = page_content("An invoice.")
    assert choose(PICTURE, "soup", ["picture"], 99).scores > choose(page, "soup", ["picture"], 99).scores
