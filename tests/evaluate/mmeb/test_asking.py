"""From a parsed task to what a cascade takes."""

from pathlib import Path

import pytest

from ponder.evaluate.mmeb.asking import asking, words
from ponder.evaluate.mmeb.parsed import Candidate, Info, Parsed, Query, Side


def task(count=6):
    """Each query has its own pool of two; the right answer comes first."""
    queries = [
        Query(
            Side(f"<|image_pad|>\nName it: thing {n}\n", (f"p/{n}.png",), "image", "<|image_pad|>\nName it:"),
            Info((f"a{n}", "b", "b"), (f"a{n}",)),
        )
        for n in range(count)
    ]
    pool = [Candidate(name, Side(name)) for name in [*(f"a{n}" for n in range(count)), "b"]]
    return Parsed(queries, pool)


def test_a_query_is_its_picture_its_words_and_its_instruction_apart():
    [first, *_] = asking("T", task(), Path("/data"), local=True).questions
    assert (first.asked.text, first.asked.image, first.asked.instruction) == (
        "thing 0",
        "/data/p/0.png",
        "Name it:",
    )


def test_a_local_pool_holds_each_of_the_querys_own_candidates_once():
    found = asking("T", task(), Path(), local=True)
    for question in found.questions:
        assert [found.names[each] for each in question.pool] == [f"a{question.number}", "b"]
    assert all(each.pool is None for each in asking("T", task(), Path(), local=False).questions)


def test_ids_do_not_tell_the_place_in_the_pool_and_keep_integers_apart():
    candidates = [Candidate(name, Side(str(name))) for name in (*range(40), "3")]
    found = asking("T", Parsed([], candidates), Path(), local=False)
    ids = [item.id for item in found.items]
    assert len(set(ids)) == 41
    assert ids != sorted(ids)
    assert [found.names[each] for each in ids] == [*range(40), "3"]


@pytest.mark.parametrize("local", [True, False])
def test_a_limit_draws_queries_and_takes_the_candidates_that_they_need(local):
    found = asking("T", task(50), Path(), local=local, limit=5, seed=3)
    numbers = [each.number for each in found.questions]
    assert len(set(numbers)) == 5 and numbers == sorted(numbers)
    assert numbers == [
        q.number for q in asking("T", task(50), Path(), local=local, limit=5, seed=3).questions
    ]
    assert numbers != [
        q.number for q in asking("T", task(50), Path(), local=local, limit=5, seed=4).questions
    ]
    assert len(found.items) == (6 if local else 51)


def test_a_clip_is_the_folder_of_its_frames_and_all_of_them_are_opened():
    side = Side("<|video_pad|>", tuple(f"v/clip/{n}.jpg" for n in range(30)), "video")
    found = asking("T", Parsed([], [Candidate("c", side)]), Path("/d"), local=False)
    [item] = found.items
    assert (item.kind, item.path, item.text) == ("video", "/d/v/clip", "")
    assert found.limits.max_frames == 30


def test_a_label_is_its_words_even_if_it_looks_like_an_instruction():
    assert words(Side("Name it:", instruction="Name it:")) == ""
    [item] = asking(
        "T", Parsed([], [Candidate("x", Side("Name it:", instruction="Name it:"))]), Path(), local=False
    ).items
    assert (item.text, item.instruction) == ("Name it:", "")


def test_a_candidate_with_a_picture_has_its_instruction_apart():
    side = Side("<|image_pad|>\nSee it: a dog\n", ("p/1.png",), "image", "<|image_pad|>\nSee it:")
    [item] = asking("T", Parsed([], [Candidate("x", side)]), Path("/d"), local=False).items
    assert (item.text, item.instruction, item.uri, item.path) == ("a dog", "See it:", "x", "/d/p/1.png")
