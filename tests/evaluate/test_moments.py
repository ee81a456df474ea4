from pathlib import Path
from shutil import copy

import pytest
from datasets_of_texts import write_lines

import ponder
from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.moments import load_moments, run_moments
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache
from ponder.testing import FakeModels

CLIP = Path(ponder.__file__).parent / "demo" / "collection" / "clips" / "c01.mp4"
GOOD = {"_id": "m1", "video": "clip.mp4", "text": "what", "segments": [[0, 1], [1, 2]], "relevant": [1]}


@pytest.fixture
def folder(tmp_path):
    copy(CLIP, tmp_path / "clip.mp4")
    return tmp_path


def test_segments_are_items_in_the_order_of_time(folder):
    rows = [GOOD, {**GOOD, "_id": "m2"}, {**GOOD, "_id": "m3", "segments": [[0, 2]], "relevant": [0]}]
    found = load_moments(write_lines(folder / "m.jsonl", rows))
    assert [item.span for item in found.items] == [(0.0, 1.0), (1.0, 2.0), (0.0, 2.0)]
    assert len({item.id for item in found.items}) == 3
    first, second, third = found.queries
    assert first.ids == second.ids == tuple(sorted(first.ids))
    assert first.relevant == {first.ids[1]}
    assert third.ids == (found.items[2].id,)


def test_each_query_ranks_its_own_segments_within_the_budget(folder, tmp_path):
    rows = [GOOD, {**GOOD, "_id": "m2", "segments": [[0, 0.5], [0.5, 1], [1, 2]], "relevant": [0, 2]}]
    moments = load_moments(write_lines(folder / "m.jsonl", rows))
    settings = Settings(budgets=(0, 100))
    with Cache(tmp_path / "cache.sqlite") as cache:
        corpus = build_corpus(moments.items, FakeModels(), cache, settings)
        lines = [run.fields for run in run_moments(moments, corpus, settings)]
    assert [line["budget"] for line in lines] == [0, 100]
    for line in lines:
        assert list(line)[:5] == ["budget", "hit@1", "ci95", "no_media", "tokens_per_query"]
        assert line["queries"] == 2
        assert line["no_media"] == pytest.approx((1 / 2 + 2 / 3) / 2, abs=1e-6)
        assert line["ci95"][0] <= line["hit@1"] <= line["ci95"][1]
        assert line["tokens_per_query"]["max"] <= line["budget"]
        assert line["hit@1_ties_against"] <= line["hit@1"]


def test_a_missing_clip_is_listed(folder):
    rows = [GOOD, {**GOOD, "_id": "m2", "video": "gone.mp4"}]
    found = load_moments(write_lines(folder / "m.jsonl", rows))
    assert [query.query.id for query in found.queries] == ["m1"]
    assert [Path(lost.uri).name for lost in found.skipped] == ["gone.mp4"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"segments": []}, '"segments" is missing'),
        ({"segments": [[1, 1]]}, "not a segment"),
        ({"segments": [[-1, 1]]}, "not a segment"),
        ({"segments": [["0", 1]]}, "not a segment"),
        ({"relevant": []}, '"relevant" is missing'),
        ({"relevant": [2]}, "names no segment"),
        ({"relevant": [True]}, "names no segment"),
        ({"text": ""}, '"text" is missing'),
        ({"video": "../clip.mp4"}, "leads out"),
    ],
)
def test_bad_rows_name_their_line(folder, change, what):
    file = write_lines(folder / "m.jsonl", [GOOD, {**GOOD, "_id": "m2", **change}])
    with pytest.raises(InputInvalid, match=what) as raised:
        load_moments(file)
    assert raised.value.where.endswith("m.jsonl:2")


def test_no_file_and_no_queries(folder):
    with pytest.raises(InputNotFound, match="no such file"):
        load_moments(folder / "none.jsonl")
    with pytest.raises(InputInvalid, match="no query can be run"):
        load_moments(write_lines(folder / "m.jsonl", []))
