"""Doubt of labels: planted wrong ones are found, right ones are left alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from ponder.evaluate.beir import JudgedQuery
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.settings import Settings
from ponder.feedback.deciding import Thresholds
from ponder.feedback.finding import Finder
from ponder.feedback.labels import LEAST, odds_of
from ponder.index.cache import Overlay
from ponder.records import Item, Query
from ponder.testing import FakeModels

COLOURS = (
    "red",
    "blue",
    "green",
    "grey",
    "white",
    "black",
    "pink",
    "brown",
    "gold",
    "silver",
    "amber",
    "teal",
)
THINGS = (
    "kite",
    "whale",
    "cello",
    "harbour",
    "violin",
    "crane",
    "lamp",
    "wagon",
    "bridge",
    "tulip",
    "owl",
    "pear",
)
ITEMS = [Item(f"{a}-{b}", "text", text=f"a {a} {b} by the sea") for a in COLOURS for b in THINGS]


@pytest.fixture(scope="module")
def finder() -> Finder:
    corpus = build_corpus(ITEMS, FakeModels(), Overlay(None), Settings())
    return Finder(corpus, [item.id for item in ITEMS], 0.8)


def queries(*, of: Sequence[Item] = ITEMS) -> list[JudgedQuery]:
    asked = [Query(f"where is the {item.id.replace('-', ' ')}", id=f"q-{item.id}") for item in of]
    return [JudgedQuery(query, {item.id: 1}) for query, item in zip(asked, of, strict=True)]


def suspects(odds: dict[tuple[str, str], float]) -> set[str]:
    return {query for (query, _), value in odds.items() if value >= Thresholds().suspect}


def test_labels_that_were_moved_are_found(finder: Finder) -> None:
    asked, draw = queries(), np.random.default_rng(3)
    moved = draw.permutation(len(asked))[:8]
    for number in moved:
        other = ITEMS[(number + int(draw.integers(1, len(ITEMS)))) % len(ITEMS)]
        asked[number] = replace(asked[number], grades={other.id: 1})
    found = suspects(odds_of(asked, finder))
    wrong = {asked[number].query.id for number in moved}
    assert len(found & wrong) >= 7
    assert len(found - wrong) <= 1
    assert odds_of(asked, finder) == odds_of(asked, finder)


def test_right_labels_are_left_alone_and_only_positives_have_odds(finder: Finder) -> None:
    asked = [replace(each, grades={**each.grades, "red-kite": 0, "nowhere": 1}) for each in queries()[1:]]
    odds = odds_of(asked, finder)
    assert set(odds) == {(f"q-{item.id}", item.id) for item in ITEMS[1:]}
    assert not suspects(odds)


def test_of_few_labels_nothing_is_said(finder: Finder) -> None:
    assert odds_of(queries(of=ITEMS[: LEAST - 1]), finder) == {}
    assert len(odds_of(queries(of=ITEMS[:LEAST]), finder)) == LEAST


def test_a_query_that_cannot_be_opened_does_not_shift_the_others(finder: Finder) -> None:
    whole = queries()
    broken = JudgedQuery(Query(id="broken"), {"red-kite": 1})
    assert odds_of([broken, *whole], finder) == odds_of(whole, finder)


def test_a_query_with_all_the_labels_has_no_others_to_learn_from(finder: Finder) -> None:
    every = {item.id: 1 for item in ITEMS}
    alone = odds_of([JudgedQuery(Query("all", id="all"), every)], finder)
    assert set(alone.values()) == {0.0}
    assert len(alone) == len(ITEMS)
    whole = odds_of([*queries(), JudgedQuery(Query("all", id="all"), every)], finder)
    assert len(whole) == 2 * len(ITEMS)
    assert all(np.isfinite(list(whole.values())))


def test_where_every_document_answers_every_query_nothing_is_drawn(finder: Finder) -> None:
    every = {item.id: 1 for item in ITEMS}
    odds = odds_of([JudgedQuery(Query(f"all {n}", id=f"q{n}"), every) for n in range(3)], finder)
    assert set(odds.values()) == {0.0}
