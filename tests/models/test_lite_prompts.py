"""Prompts of the small language model: what is fixed goes on from a copy, and scores stay what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.models.lite.language import Language
from ponder.models.lite.naming import prompt_for, question
from ponder.models.lite.prompt import Prompt
from ponder.records import Usage

NAMES = [" cello", " koala bear", " whale in the sea"]
SOUGHT = ["the instrument Yo-Yo Ma plays", "  a bear.", "", "\n", "'s", "ünï 🌿"]
TEXTS = st.text("ab:\n 'é", max_size=12)


class Letters:
    """Letters are tokens."""

    def tokens(self, text: str) -> tuple[int, ...]:
        return tuple(map(ord, text))


@given(text=TEXTS, fixed=TEXTS)
def test_what_is_fixed_is_what_both_begin_with_but_for_a_last_token(text, fixed):
    prompt = Prompt.of(Letters(), text, fixed)
    assert prompt.tokens == Letters().tokens(text)
    assert fixed.startswith(text[: prompt.fixed])
    assert prompt.fixed < max(1, len(text))
    beyond = prompt.fixed + 1
    assert beyond >= len(text) or not fixed.startswith(text[:beyond])


def test_a_prompt_is_charged_once():
    prompt = Prompt((1, 2, 3), fixed=2)
    assert prompt.price == 3
    assert prompt.charge() == Usage(read=3)
    assert prompt.price == 0
    assert prompt.charge() == prompt.charge() == Usage(cached=3)


@pytest.fixture(scope="session")
def language() -> Language:
    return Language()


@pytest.mark.lite
class TestRealWeights:
    @pytest.mark.parametrize("sought", SOUGHT)
    def test_the_tokens_are_those_of_the_whole_text(self, language, sought):
        prompt = prompt_for(language, sought)
        assert prompt.tokens == language.tokens(question(sought))
        assert prompt.fixed >= 25

    @pytest.mark.parametrize("sought", SOUGHT[:2])
    def test_scores_behind_a_kept_beginning_are_those_of_the_whole_text(self, language, sought):
        prompt = prompt_for(language, sought)
        split, whole = language.score(prompt, NAMES), language.score(question(sought), NAMES)
        assert split.values == pytest.approx(whole.values, abs=1e-4)
        assert split.usage == whole.usage

    def test_who_was_scored_before_changes_nothing(self, language):
        alone = Language().score(prompt_for(language, SOUGHT[0]), NAMES)
        for other in SOUGHT[1:]:
            language.score(prompt_for(language, other), NAMES)
        assert language.score(prompt_for(language, SOUGHT[0]), NAMES) == alone

    def test_in_later_calls_a_prompt_is_cached_and_scores_alike(self, language):
        prompt = prompt_for(language, SOUGHT[0])
        first, second = language.score(prompt, NAMES[:1]), language.score(prompt, NAMES)
        assert second.values[0] == pytest.approx(first.values[0], abs=1e-4)
        assert (first.usage.cached, second.usage.cached) == (0, len(prompt.tokens))
        assert second.usage.read == sum(language.count(name) - 1 for name in NAMES)

    def test_it_writes_what_it_would_behind_the_whole_text(self, language):
        whole = language.generate(question(SOUGHT[0]), 6, stop=("\n",))
        assert language.generate(prompt_for(language, SOUGHT[0]), 6, stop=("\n",)) == whole
        assert whole.text
