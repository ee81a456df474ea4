"""Usefulness of ECRs by hand-made examples, and the filter on top of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reasoner_data import THINGS, mined, things

from ponder.evaluate.beir import load_beir
from ponder.reason.chat import reasoned_parts
from ponder.records import Item, Reasoning
from ponder.shelf.ingest import Ingest
from ponder.testing.fakes import FakeModels
from ponder.train.ecrs import Ecr
from ponder.train.evaluating import Overlay
from ponder.train.lessons import Lesson, Rules, chosen_of, fault, preferences
from ponder.train.pairs import Pair, read_pairs
from ponder.train.usefulness import Measured, Usefulness

RULES = Rules(1, 99, 0.0)


@pytest.fixture
def measured(tmp_path):
    """From a document's id and an ECR to what the ECR does."""
    data = load_beir(things(tmp_path / "things"), split="train")
    models, cache = FakeModels(dim=4096), Overlay(None)
    items = {item.id: item for item in data.items}

    def measure(name, text, pairs=None):
        found = list(read_pairs(mined(tmp_path / "pairs.parquet"))) if pairs is None else pairs
        document = Ingest(models, cache).document(items[name])
        reasoning = Reasoning(text, reasoned_parts(document.content, text))
        return Usefulness(data, found, models, cache).of(document, reasoning)

    return measure


def test_what_names_the_query_s_word_lifts_and_what_names_another_s_harms(measured):
    # "a kite": its query says wind, and it is mined as a hard negative of the cello's, music.
    good = measured("d-kite", "wind")
    # Of the words a, kite, wind one is the query's: 1/√3, and 0 before.
    assert good.up == pytest.approx(3**-0.5, abs=1e-6)
    assert good.down == pytest.approx(0.0, abs=1e-6)
    bad = measured("d-kite", "music")
    assert bad.up == pytest.approx(0.0, abs=1e-6)
    assert bad.down == pytest.approx(3**-0.5, abs=1e-6)
    assert bad.value < 0 < good.value


def test_what_draws_all_queries_alike_gains_nothing(measured):
    vague = measured("d-kite", "wind music")
    assert vague.up == pytest.approx(0.5)
    assert vague.down == pytest.approx(0.5)
    assert vague.value == pytest.approx(0.0)


def test_without_pairs_only_the_lift_counts_and_without_labels_nothing(measured):
    assert measured("d-kite", "music", pairs=[]) == Measured(pytest.approx(0.0), None)
    doubtful = [Pair("q-kite", "d-kite", "suspect-positive")]
    assert measured("d-kite", "wind", pairs=doubtful).value is None


def lesson(name, text, value):
    return Lesson(Item(name, "text"), Ecr(name, text), 3, Measured(value, None))


def test_the_filter_drops_the_misleading_and_keeps_the_best(measured):
    lessons = [
        Lesson(Item(name, "text"), Ecr(name, text), 3)
        for name, text in (
            ("d-kite", "music"),
            ("d-kite", "wind"),
            ("d-kite", "wind music"),
            ("d-sail", "boat"),
        )
    ]
    found = chosen_of(lessons, RULES, lambda each: measured(each.item.id, each.ecr.text))
    assert [each.decision for each in found] == ["harmful", "kept", "outdone", "kept"]
    assert "usefulness -0.5774 (up +0.0000, down +0.5774), below 0" in found[0].why
    [two] = preferences(found, 0.0)
    assert (two.chosen.ecr.text, two.rejected.ecr.text) == ("wind", "music")
    assert preferences(found, 2.0) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no words"),
        ("42 …", "no words"),
        ("A <think>kite", "mark"),
        ("A kite<|im_end|>", "mark"),
        ("a red kite " * 9, "repeats itself"),
        ("A red kite, which flies over fields in spring, when farmers plough.", ""),
    ],
)
def test_form_is_judged_by_the_words(text, why):
    assert why in fault(Ecr("d", text))
    assert bool(fault(Ecr("d", text))) == bool(why)
    assert fault(Ecr("d", "A kite, which", truncated=True)) == "cut off by a limit"
    assert fault(Ecr("d", "A kite.", truncated=True)) == ""  # the limit was reached behind a sentence


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz ", max_size=8), st.floats(-1, 1)), max_size=12)
)
def test_of_each_document_the_most_useful_of_good_form_is_kept(drawn):
    lessons = [lesson(name, text, value) for name, text, value in drawn]
    found = chosen_of(lessons, RULES, lambda each: each.measured)
    assert [each.ecr for each in found] == [each.ecr for each in lessons]
    for name in {each.item.id for each in found}:
        usable = [
            each
            for each in found
            if each.item.id == name and not fault(each.ecr) and each.measured.value >= 0
        ]
        kept = [each for each in found if each.item.id == name and each.decision == "kept"]
        assert len(kept) == bool(usable)
        if kept:
            assert kept[0].measured.value == max(each.measured.value for each in usable)
    for each in preferences(found, 0.1):
        assert each.chosen.measured.value - each.rejected.measured.value >= 0.1
        assert each.chosen.item == each.rejected.item


def test_the_things_and_their_words_differ():
    assert len({*THINGS, *THINGS.values()}) == 2 * len(THINGS)
