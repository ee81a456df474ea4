"""The query sets over the stamps corpus: well-formed, and put together into a folder that evaluates."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ponder.evaluate.beir import load_beir

DATA = Path(__file__).resolve().parents[2] / "benchmarks" / "data"
SIZES = {"composed": 50, "picture_to_picture": 40}
STAMP = re.compile(r"stamp-\d{4}")


def queries(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name / "queries.jsonl").read_text("utf-8").splitlines()]


def qrels(name: str) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for line in (DATA / name / "qrels" / "dev.tsv").read_text("utf-8").splitlines()[1:]:
        query, doc, grade = line.split("\t")
        judged.setdefault(query, {})[doc] = int(grade)
    return judged


@pytest.mark.parametrize("name", SIZES)
def test_ids_are_well_formed_and_every_query_is_judged(name: str) -> None:
    rows = queries(name)
    assert len(rows) == len({row["_id"] for row in rows}) == SIZES[name]
    assert len({(row["image"], row["text"]) for row in rows}) == len(rows)
    assert set(qrels(name)) == {row["_id"] for row in rows}
    for row in rows:
        assert re.fullmatch(r"images/stamp-\d{4}\.(png|jpg)", row["image"])
        assert bool(row["text"]) is (name == "composed")
        assert all(STAMP.fullmatch(doc) and grade > 0 for doc, grade in qrels(name)[row["_id"]].items())


@pytest.mark.parametrize("name", SIZES)
def test_a_querys_own_picture_is_excluded_and_never_an_answer(name: str) -> None:
    for row in queries(name):
        own = Path(row["image"]).stem
        assert row["metadata"]["exclude"] == [own]
        assert own not in qrels(name)[row["_id"]]


def stand_in_corpus(folder: Path, name: str, *, without: str = "") -> None:
    """A corpus with just the ids that a set speaks of, each a small plain picture."""
    images = {Path(row["image"]).stem: row["image"] for row in queries(name)}
    for answers in qrels(name).values():
        for doc in answers:
            images.setdefault(doc, f"images/{doc}.png")
    images.pop(without, None)
    (folder / "images").mkdir(parents=True)
    for image in images.values():
        Image.new("RGB", (4, 4), "red").save(folder / image)
    rows = [
        {"_id": i, "text": "", "image": p, "metadata": {"captions": ["secret"]}} for i, p in images.items()
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def assemble(name: str, stamps: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DATA / "assemble.py"), name, str(stamps), str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SIZES)
def test_an_assembled_folder_is_read_by_evaluate_and_holds_no_captions(name: str, tmp_path: Path) -> None:
    stand_in_corpus(tmp_path / "stamps", name)
    done = assemble(name, tmp_path / "stamps", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    dataset = load_beir(tmp_path / "out", split="dev")
    assert len(dataset.queries) == SIZES[name]
    assert not dataset.skipped
    assert all(len(judged.exclude) == 1 for judged in dataset.queries)
    assert "secret" not in (tmp_path / "out" / "corpus.jsonl").read_text("utf-8")


def test_another_corpus_is_refused(tmp_path: Path) -> None:
    missing = next(iter(qrels("composed")["composed-01"]))
    stand_in_corpus(tmp_path / "stamps", "composed", without=missing)
    done = assemble("composed", tmp_path / "stamps", tmp_path / "out")
    assert done.returncode != 0
    assert missing in done.stderr
