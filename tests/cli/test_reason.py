"""``ponder reason``: ECRs as JSON lines, of a data set and of stdin."""

import io
import json
import sys

import pytest

from ponder.cli.main import run


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    (folder / "qrels").mkdir(parents=True)
    (folder / "bad.png").write_bytes(b"no picture")
    rows = [
        {"_id": "d1", "text": "a cello"},
        {"_id": "d2", "image": "bad.png"},
        {"_id": "d3", "text": "a kite"},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "music"}\n')
    (folder / "qrels" / "dev.tsv").write_text("q1\td1\t1\n")
    return folder


def test_each_document_has_a_line_and_what_cannot_be_opened_is_listed(data, tmp_path, capsys):
    out = tmp_path / "ecrs.jsonl"
    command = ["reason", str(data), "--models", "fake", "--queries", "dev", "--out", str(out), "--json"]
    assert run(command) == 7
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(each["id"], each["role"], each["reasoning"]) for each in lines] == [
        ("d1", "document", "a cello"),
        ("d3", "document", "a kite"),
        ("q1", "query", "music"),
    ]
    assert lines[0]["model"] == "fake-reasoner-1-none"
    assert len(lines[0]["digest"]) == 64
    assert lines[0]["usage"] == {"read": 2, "written": 2}
    assert json.loads(captured.out)["tokens"] == {"read": 4, "written": 4, "cached": 0}
    assert "bad.png" in captured.err
    before = out.read_text()
    assert run(command) == 7
    # The second time all comes from the cache, to the letter.
    assert json.loads(capsys.readouterr().out)["tokens"] == {"read": 0, "written": 0, "cached": 4}
    assert out.read_text() == before
    assert not list(tmp_path.glob(".*partial"))


def test_rows_on_stdin_come_out_as_lines(data, monkeypatch, capsys):
    class Stdin:
        buffer = io.BytesIO(b'{"_id": "x", "text": "a red kite"}\n')

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert run(["reason", "--models", "fake", "--reason-tokens", "2"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["reasoning"] == "a red"
    assert json.loads(line)["truncated"] is True


def test_what_is_no_data_set_is_refused(tmp_path, capsys):
    assert run(["reason", str(tmp_path / "nowhere"), "--models", "fake"]) == 4
    assert "corpus.jsonl" in capsys.readouterr().err
