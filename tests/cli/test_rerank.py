"""``ponder rerank``: lines in, rankings out."""

import io
import json
import sys

import pytest
from PIL import Image

from ponder.cli.main import run


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def asked(rows, monkeypatch, capsys, *told):
    data = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code = run(["rerank", "--models", "fake", *told])
    streams = capsys.readouterr()
    return code, [json.loads(line) for line in streams.out.splitlines()], streams.err


def test_each_line_is_ranked_within_its_budget(monkeypatch, capsys):
    rows = [
        {"_id": "1", "query": "red kite", "documents": ["a blue whale", "a red kite", {"text": "an oak"}]},
        {"_id": "2", "query": {"text": "whale"}, "documents": ["a blue whale"]},
    ]
    code, found, _ = asked(rows, monkeypatch, capsys, "--budget", "64", "-k", "2")
    assert (code, [row["_id"] for row in found]) == (0, ["1", "2"])
    assert found[0]["results"][0]["index"] == 1
    assert [len(row["results"]) for row in found] == [2, 1]
    assert all(0 < row["usage"]["read"] + row["usage"]["written"] <= 64 for row in found)


def test_files_are_opened_and_those_that_cannot_be_are_listed(tmp_path, monkeypatch, capsys):
    Image.new("RGB", (30, 30), "red").save(tmp_path / "red.png")
    rows = [{"query": "red", "documents": [{"image": "red.png"}, {"image": "gone.png"}, "a red thing"]}]
    code, [found], err = asked(rows, monkeypatch, capsys)
    assert code == 7 and "stdin:1, document 1" in err
    assert sorted(each["index"] for each in found["results"]) == [0, 2]


@pytest.mark.parametrize("row", ["{", "[]", '{"query": "x"}', '{"documents": ["x"]}'])
def test_what_is_no_line_of_ours_is_named(row, monkeypatch, capsys):
    code, _, err = asked([row], monkeypatch, capsys)
    assert code == 5 and "stdin:1" in err
