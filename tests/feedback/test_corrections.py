"""A person's corrections: read with care, applied to what they name, nothing else changed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ponder.cli.main import app
from ponder.errors import InputInvalid, InputNotFound
from ponder.feedback.corrections import FORMAT, correct, corrections_of, read_corrections
from ponder.train.pairs import Decision, Pair, made_of, read_pairs, write_pairs

PAIRS = [
    Pair("q1", "d1", "positive", "labelled", 1, 1, 0.9, 0.8, 0.7, 0.9, 0.8, 0.7, 12),
    Pair("q1", "d2", "doubtful", "score .79", 0, 2, 0.85, 0.79, None, 0.9, 0.8, None, 11, threshold=0.76),
    Pair("q1", "d3", "hard-negative", "score .2", 0, 3, 0.5, 0.2),
    Pair("q2", "d2", "suspect-positive", "labelled, but", 2, 300, 0.1),
]
ROW = {"query_id": "q1", "doc_id": "d2", "decision": "false_negative"}


def write(folder: Path, told: Any) -> Path:
    file = folder / "corrections.json"
    file.write_text(told if isinstance(told, str) else json.dumps(told))
    return file


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "mined.parquet", PAIRS, {"dataset": "x"})
    return tmp_path / "mined.parquet"


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("{", "not JSON"),
        ("[]", "no corrections"),
        ({"format": "other", "corrections": []}, "no corrections"),
        ({"format": FORMAT}, "no list of corrections"),
        ({"format": FORMAT, "corrections": ["x"]}, "not a correction"),
        ({"format": FORMAT, "corrections": [{**ROW, "doc_id": 3}]}, "not a correction"),
        ({"format": FORMAT, "corrections": [{"query_id": "q1"}]}, "not a correction"),
        ({"format": FORMAT, "corrections": [ROW, {**ROW, "decision": "nice"}]}, r"'nice'.*corrections\[1\]"),
    ],
)
def test_what_is_no_file_of_corrections_is_refused(tmp_path: Path, told: Any, wrong: str) -> None:
    with pytest.raises(InputInvalid, match=wrong):
        read_corrections(write(tmp_path, told))


def test_bytes_that_are_no_text_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputInvalid, match="not JSON"):
        read_corrections(tmp_path / "b.json")
    with pytest.raises(InputNotFound):
        read_corrections(tmp_path / "none.json")


def test_only_what_is_named_changes(pairs: Path, tmp_path: Path) -> None:
    found = read_corrections(write(tmp_path, {"format": FORMAT, "corrections": [ROW]}))
    assert correct(pairs, found) == 1
    after, before = list(read_pairs(pairs)), [replace(pair) for pair in PAIRS]
    assert (after[1].decision, after[1].decided_by) == ("false-negative", "review")
    assert "doubtful" in after[1].why
    kept = replace(after[1], decision="doubtful", decided_by="rule", why=before[1].why)
    for old, new in zip(before, [after[0], kept, *after[2:]], strict=True):
        for name in Pair.__slots__:
            assert getattr(new, name) == pytest.approx(getattr(old, name)), name
    assert made_of(pairs)["dataset"] == "x"
    assert corrections_of(pairs) == found
    assert correct(pairs, found) == 0


@pytest.mark.parametrize(
    ("query", "document", "decision", "wrong"),
    [
        ("q1", "d9", "positive", "no such pair"),
        ("other", "d1", "positive", "no such pair"),
        ("q1", "d1", "hard-negative", "does not fit"),
        ("q1", "d3", "suspect-positive", "does not fit"),
    ],
)
def test_one_that_does_not_fit_changes_nothing(
    pairs: Path, query: str, document: str, decision: Decision, wrong: str
) -> None:
    before = pairs.read_bytes()
    with pytest.raises(InputInvalid, match=wrong):
        correct(pairs, {("q1", "d2"): "easy", (query, document): decision})
    assert pairs.read_bytes() == before
    assert corrections_of(pairs) == {}


def test_a_later_word_counts(pairs: Path) -> None:
    correct(pairs, {("q1", "d2"): "easy"})
    correct(pairs, {("q1", "d2"): "positive", ("q2", "d2"): "positive"})
    told = {(pair.query_id, pair.document_id): pair for pair in read_pairs(pairs)}
    assert told["q1", "d2"].decision == told["q2", "d2"].decision == "positive"
    assert corrections_of(pairs) == {("q1", "d2"): "positive", ("q2", "d2"): "positive"}


def test_the_command_writes_a_page_and_takes_its_file_back(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": name, "text": f"a text {name}"} for name in ("d1", "d2", "d3")]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    queries = [{"_id": name, "text": f"asked {name}"} for name in ("q1", "q2")]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels" / "train.tsv").write_text("q1\td1\t1\nq2\td2\t2\n")
    pairs, out, run = tmp_path / "mined.parquet", tmp_path / "page.html", CliRunner()
    write_pairs(pairs, PAIRS, {"folder": str(folder), "split": "train"})
    done = run.invoke(app, ["mine", "--review", str(pairs), "--out", str(out), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["pairs"]) == (0, 2), done.output
    assert "asked q1" in out.read_text()
    file = write(tmp_path, {"format": FORMAT, "corrections": [ROW]})
    done = run.invoke(app, ["mine", "--corrections", str(file), "--pairs", str(pairs), "--json"])
    assert json.loads(done.stdout) == {"corrections": 1, "changed": 1}
    assert [pair.decided_by for pair in read_pairs(pairs)] == ["rule", "review", "rule", "rule"]
