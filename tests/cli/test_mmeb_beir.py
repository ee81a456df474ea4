"""``ponder mmeb beir``: a task as a BEIR folder, whole by itself."""

import json
import shutil

import pytest

from ponder.evaluate.beir import load_beir
from ponder.media import Limits, open_content
from ponder.testing.mmeb import make_layout


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    make_layout(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize(("task", "kind"), [("MSVD", "video"), ("ViDoRe_arxivqa", "page")])
def test_the_folder_stands_by_itself_and_is_searched(ponder, data, tmp_path, task, kind):
    found = ponder.json("mmeb", "beir", data, task, tmp_path / "out")
    shown = ponder.lines("mmeb", "show", data, task)
    shutil.rmtree(data)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    dataset = load_beir(tmp_path / "out", split="test")
    assert [item.id for item in dataset.items] == [str(name) for name in shown[0]["pool"]]
    assert {item.kind for item in dataset.items} == {kind}
    for item in dataset.items:
        assert open_content(item, Limits()).images
    assert [list(each.grades) for each in dataset.queries] == [list(map(str, q["gold"])) for q in shown]
    assert (found["documents"], found["queries"]) == (len(dataset.items), len(shown))
    more = ("--split", "test", "--models", "fake", "--budget", "0")
    [report] = ponder.lines("evaluate", tmp_path / "out", *more)
    assert report["skipped"] == []


def test_what_is_missing_is_left_out_and_listed(ponder, data, tmp_path):
    shutil.rmtree(next((data / "data_basedir/video-tasks/frames/video_ret/MSVD").iterdir()))
    found = ponder.json("mmeb", "beir", data, "MSVD", tmp_path / "out", code=7)
    assert len(found["skipped"]) == 1 and "no frames" in found["skipped"][0]["error"]
    assert len(load_beir(tmp_path / "out", split="test").queries) == found["queries"] == 2


def test_pools_of_their_own_and_a_folder_in_use_are_refused(ponder, data, tmp_path):
    assert ponder("mmeb", "beir", data, "WebQA", tmp_path / "out")[0] == 2
    ponder("mmeb", "beir", data, "MSVD", tmp_path / "out")
    code, _, err = ponder("mmeb", "beir", data, "MSVD", tmp_path / "out")
    assert code == 2 and "a data set already" in err


def test_names_that_a_run_cannot_carry_become_numbers(ponder, data, tmp_path):
    # The labels of Breakfast that are texts with white space stand beside others.
    ponder("mmeb", "beir", data, "Breakfast", tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "corpus.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        assert len(row["_id"].split()) == 1
        assert row["metadata"]["id"] == row["text"] if row["text"] != row["_id"] else "metadata" not in row
    dataset = load_beir(tmp_path / "out", split="test")
    known = {item.id for item in dataset.items}
    assert all(set(each.grades) <= known for each in dataset.queries)
