"""``ponder mine`` on the fakes: what it prints, what it writes, and how it ends."""

import json
from pathlib import Path

import pytest

from ponder.cli.partly import PARTLY
from ponder.train.pairs import read_pairs

NOUNS = ["crane", "kite", "whale", "cello", "harbour", "violin"]


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    folder = tmp_path / "towns"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": noun, "text": f"a red {noun} by the sea"} for noun in NOUNS]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    asked = [{"_id": f"q-{noun}", "text": f"where is the red {noun}"} for noun in NOUNS]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    label(folder, [(f"q-{noun}", noun) for noun in NOUNS])
    return folder


def label(folder: Path, pairs: list[tuple[str, str]]) -> None:
    lines = "".join(f"{query}\t{document}\t1\n" for query, document in pairs)
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + lines, "utf-8")


def test_it_counts_what_it_wrote(ponder, towns, tmp_path):
    out = tmp_path / "mined"
    told = ponder.json("mine", towns, "--out", out, "--models", "fake", "--budget", "200", "--negatives", "2")
    pairs = list(read_pairs(Path(told["pairs"])))
    counted = {name.replace("_", "-"): count for name, count in told["decisions"].items()}
    assert counted == {
        name: sum(pair.decision.replace("_", "-") == name for pair in pairs)
        for name in {pair.decision.replace("_", "-") for pair in pairs}
    }
    assert told["queries"] == len(NOUNS)
    assert told["tokens"] == sum(pair.tokens for pair in pairs) <= 200 * len(NOUNS)
    assert sum(told["negatives"].values()) == len(NOUNS)
    assert max(map(int, told["negatives"])) <= 2
    assert told["skipped"] == []
    again = ponder.json(
        "mine", towns, "--out", out, "--models", "fake", "--budget", "200", "--negatives", "2"
    )
    assert again == told


def test_it_prints_a_table(ponder, towns, tmp_path):
    code, out, _ = ponder("mine", towns, "--out", tmp_path / "mined", "--models", "fake")
    assert code == 0
    assert "positive" in out
    assert "tokens" in out


def test_a_dry_run_prices_what_will_be_judged_and_writes_nothing(ponder, towns, tmp_path):
    out = tmp_path / "mined"
    arguments = ("mine", towns, "--out", out, "--models", "fake", "--budget", "3000")
    told = ponder.json(*arguments, "--dry-run")
    assert (told["left"], told["most_tokens"]) == (len(NOUNS), 3000 * len(NOUNS))
    assert told["candidates"] == len(NOUNS) * len(NOUNS)
    assert told["documents_to_embed"] == len(NOUNS)
    assert told["tokens"] is told["minutes"] is None, "nothing can be retrieved yet"
    assert not out.exists()
    spent = ponder.json(*arguments)["tokens"]
    told = ponder.json("mine", towns, "--out", tmp_path / "b", *arguments[4:], "--dry-run")
    assert told["documents_to_embed"] == 0
    assert told["queries_tried"] == len(NOUNS)
    assert 0 < told["tokens"] == spent < told["most_tokens"]
    assert told["minutes"] >= 0
    assert not (tmp_path / "b").exists()
    told = ponder.json(*arguments, "--dry-run")
    assert (told["left"], told["candidates"], told["tokens"], told["minutes"]) == (0, 0, 0, 0)
    code, said, _ = ponder(*arguments, "--dry-run")
    assert code == 0
    assert "nothing is left to judge" in said


def test_a_dry_run_tries_no_more_than_is_left(ponder, towns, tmp_path):
    asked = [{"_id": f"q-{n}", "text": f"where is the red {NOUNS[n % 6]} {n}"} for n in range(70)]
    (towns / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    label(towns, [(f"q-{n}", NOUNS[n % 6]) for n in range(70)])
    out = tmp_path / "mined"
    arguments = ("mine", towns, "--out", out, "--models", "fake", "--budget", "300")
    ponder.json(*arguments)
    (out / "pairs" / "part-00001.parquet").unlink()
    told = ponder.json(*arguments, "--dry-run")
    assert (told["left"], told["most_tokens"]) == (32, 32 * 300)
    assert 0 < told["queries_tried"] < 32
    assert 0 < told["tokens"] <= told["most_tokens"]


def test_what_is_left_out_is_named(ponder, towns, tmp_path):
    label(towns, [("q-crane", "crane"), ("q-kite", "kite"), ("q-whale", "nowhere")])
    arguments = ("mine", towns, "--out", tmp_path / "mined", "--models", "fake", "--budget", "200")
    code, _, err = ponder(*arguments)
    assert code == PARTLY
    assert "q-whale" in err
    told = ponder.json(*arguments, code=PARTLY)
    assert told["queries"] == 2
    assert any("q-whale" in each["uri"] for each in told["skipped"])


def test_a_file_that_cannot_be_opened_is_named_and_the_rest_is_mined(ponder, towns, tmp_path):
    (towns / "broken.png").write_bytes(b"no picture")
    with (towns / "corpus.jsonl").open("a", encoding="utf-8") as corpus:
        corpus.write("\n" + json.dumps({"_id": "broken", "image": "broken.png"}))
    arguments = ("mine", towns, "--out", tmp_path / "mined", "--models", "fake", "--budget", "200")
    told = ponder.json(*arguments, code=PARTLY)
    assert told["queries"] == len(NOUNS)
    assert any("broken" in each["uri"] for each in told["skipped"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--budget", "-1"], "--budget"),
        (["--negatives", "-1"], "--negatives"),
        (["--relative", "0"], "--relative"),
        (["--stages", "nobody"], "nobody"),
        (["--pairs", "mined"], "--corrections"),
    ],
)
def test_what_cannot_be_is_refused(ponder, towns, tmp_path, more, said):
    code, _, err = ponder("mine", towns, "--out", tmp_path / "mined", "--models", "fake", *more)
    assert code == 2
    assert said in err
    assert not (tmp_path / "mined").exists()


def test_a_folder_of_something_else_is_left_alone(ponder, towns, tmp_path):
    out = tmp_path / "letters"
    out.mkdir()
    (out / "letter.txt").write_text("dear", "utf-8")
    code, _, err = ponder("mine", towns, "--out", out, "--models", "fake", "--fresh")
    assert code != 0
    assert "letters" in err
    assert [each.name for each in out.iterdir()] == ["letter.txt"]


def test_what_is_not_named_is_asked_for_and_what_is_not_there_is_said(ponder, towns, tmp_path):
    code, _, err = ponder("mine", towns, "--models", "fake")
    assert (code, "no place for the pairs (--out)" in err) == (2, True)
    code, _, err = ponder("mine", "--models", "fake")
    assert (code, "name the data set" in err) == (2, True)
    code, _, err = ponder("mine", towns / "qrels", "--out", tmp_path / "mined", "--models", "fake")
    assert (code, "corpus.jsonl is missing" in err) == (4, True)
    code, _, err = ponder("train", "adapter", towns, "--out", tmp_path / "taught", "--pairs", "nowhere")
    assert (code, "no pairs here (nowhere)" in err) == (4, True)


def test_few_labels_are_said_not_to_be_doubted(ponder, towns, tmp_path):
    code, out, _ = ponder("mine", towns, "--out", tmp_path / "mined", "--models", "fake", "--budget", "200")
    assert code == 0
    assert "6 labels: with fewer than 100 none is doubted" in out


def test_corrections_may_be_spelt_as_in_the_docs(ponder, towns, tmp_path):
    out = tmp_path / "mined"
    ponder.json("mine", towns, "--out", out, "--models", "fake", "--budget", "200")
    other = next(pair for pair in read_pairs(out / "pairs") if not pair.grade)
    row = {"query_id": other.query_id, "doc_id": other.document_id, "decision": "hard-negative"}
    file = tmp_path / "corrections.json"
    file.write_text(json.dumps({"format": "ponder-corrections-1", "corrections": [row]}), "utf-8")
    told = ponder.json("mine", "--corrections", file, "--pairs", out)
    assert told == {"corrections": 1, "changed": 1}
    assert [pair.decision for pair in read_pairs(out / "pairs") if pair.decided_by == "review"] == [
        "hard-negative"
    ]
    code, _, err = ponder("mine", "--review", out, "--out", tmp_path / "no" / "page.html")
    assert (code, "no such folder" in err) == (4, True)
