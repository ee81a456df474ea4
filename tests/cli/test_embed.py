"""``ponder embed``: rows in, vectors out."""

import io
import json
import sys

import numpy as np
import pytest

from ponder.cli.main import run

ROWS = [{"_id": "a", "text": "a red kite"}, {"_id": "b", "text": "a blue whale"}]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))


def asked(rows, monkeypatch, capsys, *told):
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code = run(["embed", "--models", "fake", *told])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_query_is_nearest_to_its_document(monkeypatch, capsys):
    code, documents = asked(ROWS, monkeypatch, capsys)
    assert (code, [row["_id"] for row in documents]) == (0, ["a", "b"])
    _, [query] = asked([{"_id": "q", "text": "red kite"}], monkeypatch, capsys, "--role", "query")
    scores = [np.dot(row["vector"], query["vector"]) for row in documents]
    assert scores[0] > scores[1]
    assert np.linalg.norm(query["vector"]) == pytest.approx(1)


def test_parts_have_their_labels(monkeypatch, capsys):
    long = {"_id": "long", "text": " ".join(f"word{n}" for n in range(300))}
    _, [row] = asked([long], monkeypatch, capsys, "--parts")
    assert len(row["parts"]) > 1
    assert all(label.startswith("chars=") for label in row["parts"])


def test_what_cannot_be_opened_is_listed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, rows = asked([*ROWS, {"_id": "c", "image": "gone.png"}], monkeypatch, capsys)
    assert (code, len(rows)) == (7, 2)
