"""Exact words in a dense vector."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import pieces

from ponder.embed.lexical import DIM, Lexical

LEXICAL, ANOTHER = Lexical(pieces), Lexical(pieces)
# Letters only, so that no word is two pieces; one alphabet a text, so that two texts share no word.
ONE = st.lists(st.text("abcdefg", min_size=3, max_size=8), min_size=1, max_size=30)
OTHER = st.lists(st.text("uvwxyz", min_size=3, max_size=8), min_size=1, max_size=30)


def vector(text: str, **options: bool) -> np.ndarray:
    return LEXICAL.vector([(text, 1.0)], **options)


@given(ONE)
def test_about_unit_norm_and_the_same_again(text: list[str]) -> None:
    found = vector(" ".join(text))
    assert found.shape == (DIM,)
    assert found.dtype == np.float32
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=0.25)
    np.testing.assert_array_equal(found, ANOTHER.vector([(" ".join(text), 1.0)]))


def test_one_word_has_exactly_unit_norm() -> None:
    assert float(np.linalg.norm(vector("stopwatch"))) == pytest.approx(1, abs=1e-5)


@given(ONE, OTHER)
def test_equal_texts_are_near_and_texts_without_a_common_word_are_not(one: list[str], other: list[str]):
    first, second = vector(" ".join(one)), vector(" ".join(other))
    assert float(first @ first) == pytest.approx(1, abs=0.4)
    assert abs(float(first @ second)) < 0.3


@given(ONE, st.randoms(use_true_random=False))
def test_word_order_does_not_matter(text: list[str], order: random.Random) -> None:
    mixed = order.sample(text, len(text))
    np.testing.assert_array_equal(vector(" ".join(text)), vector(" ".join(mixed)))


@given(ONE, st.integers(2, 5))
def test_a_query_counts_a_word_once_and_a_document_does_not(text: list[str], times: int) -> None:
    once, often = " ".join(dict.fromkeys(text)), " ".join([*dict.fromkeys(text), *text[:1] * times])
    np.testing.assert_allclose(vector(once, query=True), vector(often, query=True), atol=1e-6)
    if len(set(text)) > 1:
        assert not np.allclose(vector(once), vector(often), atol=1e-3)


def test_repeating_a_word_saturates() -> None:
    """Ten times as often is nearer to the word, but by far not ten times as near."""
    word = vector("crane", query=True)
    near = [float(word @ vector("harbour steel rail " + "crane " * n)) for n in (1, 2, 10, 20)]
    assert near == sorted(near)
    assert near[3] - near[2] < near[1] - near[0]


def test_rare_words_decide() -> None:
    ranks = {"the": 1996, "harbour": 6496, "xylophone": 29000}
    rare = Lexical(lambda text: [ranks[word] for word in text.split()])
    both = rare.vector([("the harbour xylophone", 1.0)])
    near = {word: float(both @ rare.vector([(word, 1.0)])) for word in ("harbour", "xylophone")}
    assert near["xylophone"] > near["harbour"] > 0.2
    assert not rare.vector([("the", 1.0)]).any()


def test_a_heavier_text_is_nearer() -> None:
    bag = LEXICAL.vector([("koala", 0.8), ("cello", 0.1)])
    assert float(bag @ vector("koala")) > float(bag @ vector("cello")) + 0.2


@pytest.mark.parametrize("texts", [[], [("", 1.0)], [("?! …", 1.0)]])
def test_no_words_give_no_direction(texts: list[tuple[str, float]]) -> None:
    assert not LEXICAL.vector(texts).any()
