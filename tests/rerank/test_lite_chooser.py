"""Multiple choice by likelihood, with a language model that counts what it reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import WordLanguage

from ponder.records import Choice, Content, PartReasoning, Reasoning
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
    costs = {limit: choose(PICTURE, said, ["zebra", "koala"], limit).usage.read for limit in (5, 6, 20, 500)}
    # Question, three words of it and "Answer"; "Answer" once more without it; one-word answers are
    # predicted, never read.
    assert costs[5] == 0
    assert costs[6] == 6
    assert costs[20] == 20
    assert costs[500] == 6 + 96


def test_of_a_picture_the_plausible_names_are_read():
    claims = [["", "", 0.6, "soup"], ["", "", 0.3, "bowl"], ["", "", 0.1, "menu"]]
    reasoning = Reasoning("a kind of dish", parts=(PartReasoning("", "a kind of dish", {"claims": claims}),))
    chooser = LikelihoodChooser(WordLanguage())
    words = ["picture", "soup", "bowl", "menu", "dish"]
    seen = dict(zip(words, chooser.choose(PICTURE, reasoning, "What?", words, limit=99).scores, strict=True))
    assert seen["picture"] == seen["soup"] == seen["bowl"] > seen["menu"] == seen["dish"]
    page = page_content("An invoice.")
    read = dict(zip(words, chooser.choose(page, reasoning, "What?", words, limit=99).scores, strict=True))
    assert read["dish"] > read["soup"] == read["picture"]


def test_an_answer_that_is_likely_anyway_must_be_likelier_here():
    class Biased(WordLanguage):
        def score(self, prefix, continuations):
            scores = super().score(prefix, continuations)
            return replace(scores, values=(scores.values[0], scores.values[1] + 5))

    chooser = LikelihoodChooser(Biased())
    plain, common = chooser.choose(PICTURE, Reasoning(), "What?", ["koala", "zebra"], limit=99).scores
    assert common - plain == pytest.approx(5 * 0.4)
