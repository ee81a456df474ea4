"""The tasks as data."""

from collections import Counter

import pytest

from ponder.errors import BadArguments
from ponder.evaluate.mmeb.loading import LOADERS
from ponder.evaluate.mmeb.tasks import chosen, labels_of, task_named, tasks


def test_the_78_by_meta_task():
    assert Counter(each.meta_task for each in tasks()) == {
        "I-CLS": 10,
        "I-QA": 10,
        "I-RET": 12,
        "I-VG": 4,
        "V-CLS": 5,
        "V-QA": 5,
        "V-RET": 5,
        "V-MRET": 3,
        "VisDoc": 24,
    }
    assert Counter(each.modality for each in tasks()) == {"image": 36, "video": 18, "visdoc": 24}


def test_every_task_can_be_read_and_has_a_key_of_its_own_on_the_leaderboard():
    assert {each.parser for each in tasks(everything=True)} == set(LOADERS)
    assert len({each.leaderboard_key for each in tasks()}) == 78
    assert task_named("ViDoSeek-page").leaderboard_key == "ViDoSeek-page-fixed"
    assert task_named("ViDoSeek-page-fixed").name == "ViDoSeek-page"


def test_the_english_only_variants_are_in_no_average():
    variants = [each for each in tasks(everything=True) if not each.in_headline_average]
    assert {each.language for each in variants} == {"english"} and len(variants) == 3
    assert not any(each.leaderboard_key for each in variants)


def test_instructions_of_image_tasks_come_with_the_data_and_all_others_from_here():
    for each in tasks(everything=True):
        assert bool(each.query_instruction) == (each.modality != "image"), each.name


@pytest.mark.parametrize(
    ("name", "count"), [("K700", 700), ("UCF101", 101), ("HMDB51", 51), ("Breakfast", 10), ("SmthSmthV2", 0)]
)
def test_labels_that_join_the_pool(name, count):
    found = labels_of(task_named(name))
    assert len(found) == len(set(found)) == count


def test_tasks_are_chosen_by_name_meta_task_and_modality_in_the_order_of_the_table():
    assert [each.name for each in chosen("V-MRET, msvd,MSVD")] == [
        "MSVD",
        "QVHighlight",
        "Charades-STA",
        "MomentSeeker",
    ]
    assert len(chosen("image,video")) == 54
    assert (len(chosen(None)), len(chosen("all"))) == (78, 81)


@pytest.mark.parametrize(
    ("text", "hint"), [("MSVDD", "did you mean MSVD"), ("%%", "ponder mmeb tasks"), (" ,", "name some")]
)
def test_what_is_no_task_is_refused_with_what_is_alike(text, hint):
    with pytest.raises(BadArguments, match=hint):
        chosen(text)
