"""``--on ray`` on the verbs that reason about documents: what they print is what they print without it."""

from __future__ import annotations

import json

import pytest
from shelf_files import assert_same, write_files

from ponder.cli.main import run
from ponder.shelf import open_shelf
from ponder.spread.cluster import address_of
from ponder.testing.mmeb import make_layout

TEXTS = {f"d{number}": f"document {number} of word{number % 7} and word{number % 11}" for number in range(60)}
QUERIES = {f"q{number}": (f"word{number} word{number + 2}", f"d{number}") for number in range(6)}


@pytest.fixture
def ponder(capsys, monkeypatch, tmp_path):
    """Runs a command with a cache of its own; (exit code, JSON lines, stderr)."""

    def command(cache, *arguments):
        monkeypatch.setenv("PONDER_CACHE", str(tmp_path / cache))
        capsys.readouterr()
        code = run([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return command


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "data"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": name, "text": text} for name, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows = [{"_id": name, "text": text} for name, (text, _) in QUERIES.items()]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [f"{name}\t{document}\t1\n" for name, (_, document) in QUERIES.items()]
    for split in ("dev", "train"):
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return folder


def without_times(line):
    """Without what differs from run to run."""
    return {key: value for key, value in line.items() if not key.startswith(("seconds", "pairs"))}


def test_index(ponder, cluster, tmp_path):
    folder = write_files(tmp_path / "files", 80)
    code, [mine], _ = ponder("one", "index", tmp_path / "here", folder, "--models", "fake")
    assert code == 7
    code, [theirs], err = ponder(
        "two", "index", tmp_path / "fleet", folder, "--models", "fake", "--on", "ray", "--actors", 2
    )
    assert code == 7
    cost = theirs.pop("cost")
    assert without_times(mine) == without_times(theirs)
    assert cost["shards"] >= 4
    assert sum(each["items"] for each in cost["workers"]) == 82
    assert "shards on" in err
    with open_shelf(tmp_path / "here") as here, open_shelf(tmp_path / "fleet") as fleet:
        assert_same(here, fleet)


def test_evaluate(ponder, cluster, dataset):
    arguments = ("evaluate", dataset, "--models", "fake", "--budget", "0,64")
    _, mine, _ = ponder("one", *arguments)
    _, theirs, err = ponder("two", *arguments, "--on", "ray")
    assert [without_times(line) for line in mine] == [without_times(line) for line in theirs]
    assert "shards on" in err
    code, _, err = ponder("two", *arguments, "--on", "ray", "--reasoning", "shuffled")
    assert code == 2
    assert "one process" in err


@pytest.mark.parametrize("verb", ["embed", "reason"])
def test_embed_and_reason(ponder, cluster, dataset, verb):
    arguments = (verb, dataset, "--models", "fake")
    _, mine, _ = ponder("one", *arguments)
    code, theirs, err = ponder("two", *arguments, "--on", "ray", "--actors", 2)
    assert code == 0

    def by_id(lines):
        return sorted(lines, key=lambda line: line.get("_id") or line["id"])

    assert len(mine) == len(TEXTS)
    assert by_id(mine) == by_id(theirs)
    assert "shards on" in err


def test_reason_writes_a_file_and_counts_tokens(ponder, cluster, dataset, tmp_path):
    arguments = ("reason", dataset, "--models", "fake", "--queries", "dev")
    _, [mine], _ = ponder("one", *arguments, "--out", tmp_path / "one.jsonl")
    _, [theirs], _ = ponder("two", *arguments, "--out", tmp_path / "two.jsonl", "--on", "ray")
    assert mine.pop("out") != theirs.pop("out")
    assert mine == theirs
    lines = [sorted((tmp_path / f"{name}.jsonl").read_text().splitlines()) for name in ("one", "two")]
    assert lines[0] == lines[1]
    assert len(lines[0]) == len(TEXTS) + len(QUERIES)


def test_queries_are_embedded_here(ponder, dataset):
    code, _, err = ponder("one", "embed", dataset, "--models", "fake", "--role", "query", "--on", "ray")
    assert code == 2
    assert "documents only" in err


def test_mine(ponder, cluster, dataset, tmp_path):
    arguments = ("mine", dataset, "--models", "fake", "--range", "1:10")
    _, [mine], _ = ponder("one", *arguments, "--out", tmp_path / "one.parquet")
    _, [theirs], _ = ponder("two", *arguments, "--out", tmp_path / "two.parquet", "--on", "ray")
    assert without_times(mine) == without_times(theirs)


def test_mmeb_run(ponder, cluster, tmp_path):
    make_layout(tmp_path / "mmeb")
    arguments = ("mmeb", "run", tmp_path / "mmeb", "--models", "fake", "--tasks", "image", "--limit", 2)
    _, mine, _ = ponder("one", *arguments, "--out", tmp_path / "one")
    _, theirs, _ = ponder("two", *arguments, "--out", tmp_path / "two", "--on", "ray", "--actors", 2)
    assert mine
    assert [without_times(line) for line in mine] == [without_times(line) for line in theirs]


def test_a_dry_run_prices_and_writes_nothing(ponder, tmp_path):
    folder = write_files(tmp_path / "files", 100)
    shelf = tmp_path / "shelf"
    code, [found], _ = ponder(
        "one",
        "index",
        shelf,
        folder,
        "--models",
        "fake,delay_ms=20",
        "--dry-run",
        "--on",
        "ray",
        "--actors",
        8,
    )
    assert code == 0
    assert not shelf.exists()
    assert found["items"] == 102
    assert found["workers"] == 8
    assert found["by_kind"]["text"]["seconds_each"] >= 0.02
    assert found["by_kind"]["image"]["seconds_each"] is None
    assert found["worker_hours"] == pytest.approx(8 * found["hours"], abs=1e-3)
    assert found["tokens"] > 1000
    assert found["megabytes_a_worker"] > 10


@pytest.mark.parametrize("on", ["ray:", "spark", "ray10"])
def test_where_to_run_is_read_before_anything_is_done(ponder, tmp_path, on):
    code, _, err = ponder("one", "index", tmp_path / "shelf", tmp_path, "--on", on)
    assert code == 2
    assert "local, ray, or ray:ADDRESS" in err
    assert not (tmp_path / "shelf").exists()


def test_workers_without_a_cluster_are_refused(ponder, tmp_path):
    code, _, err = ponder("one", "index", tmp_path / "shelf", tmp_path, "--actors", 4)
    assert code == 2
    assert "give --on ray" in err


def test_an_address_may_hold_colons():
    assert address_of("ray:ray://head:10001") == "ray://head:10001"
