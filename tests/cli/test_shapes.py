"""The shapes of all JSON that other programs read, against ``shapes.json``."""

import json
from pathlib import Path

import pytest
from PIL import Image

import ponder as package

GOLDEN = json.loads((Path(__file__).parent / "shapes.json").read_text("utf-8"))
CLIP = Path(package.__file__).parent / "demo" / "collection" / "clips" / "c01.mp4"


def shape(value):
    """The value with every leaf replaced by its type's name, and every list by its first element."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_index(ponder, files, tmp_path):
    (files / "broken.png").write_bytes(b"no picture")
    assert shape(ponder.json("index", tmp_path / "new", files, "--models", "fake", code=7)) == GOLDEN["index"]


def test_search(ponder, shelf):
    assert shape(ponder.json("search", shelf, "kite")) == GOLDEN["search"]


def test_an_explanation_accounts_for_every_token_and_stage(ponder, shelf):
    found = ponder.json("search", shelf, "kite", "--explain", "--allocate", "adaptive")
    told = found["explanation"]
    assert [stage["name"] for stage in told["stages"]] == ["retrieve", "ecr", "query-aware"]
    assert (
        sum(stage["tokens"] for stage in told["stages"]) == found["usage"]["read"] + found["usage"]["written"]
    )
    assert all(stage["did"] for stage in told["stages"])
    assert [hit["id"] for hit in told["hits"]] == [hit["id"] for hit in found["hits"]]
    _, shown, _ = ponder("search", shelf, "kite", "--explain")
    assert "judged" in shown
    assert "→ ecr" in shown
    assert "next step: none, nobody is left to judge" in shown
    # A hit's line has both: the name to read, the id that other verbs take.
    [line] = [each for each in shown.splitlines() if each.startswith("  1  ") and "→ ecr" in each]
    assert f"kite.txt ({found['hits'][0]['id']})" in line


def test_an_explanation_says_what_one_more_step_would_cost(ponder, shelf):
    found = ponder.json("search", shelf, "kite", "--explain", "--budget", 0)
    step = found["explanation"]["next"]
    assert (step["stage"], step["candidates"], step["tokens"], step["changes"]) == ("ecr", 2, None, True)
    _, shown, _ = ponder("search", shelf, "kite", "--explain", "--budget", 0)
    assert "next step: judge 2 more of ecr, price unknown; could change the first place: yes, " in shown


def test_info(ponder, shelf):
    assert shape(ponder.json("info", shelf)) == GOLDEN["info"]


def test_remove(ponder, shelf):
    assert shape(ponder.json("remove", shelf, "--filter", "kind = 'text'")) == GOLDEN["remove"]


def test_models(ponder, monkeypatch, tmp_path):
    monkeypatch.setenv("PONDER_WEIGHTS", str(tmp_path))
    listed = ponder.json("models", "list")
    assert shape(listed) == GOLDEN["models list"]
    assert {"fake", "lite"} <= set(listed["presets"])
    verified = ponder.json("models", "verify", code=3)
    assert shape(verified) == GOLDEN["models verify"]


def test_doctor(ponder, shelf):
    found = ponder.json("doctor", shelf)
    assert {name: shape(found[name]) for name in GOLDEN["doctor"]} == GOLDEN["doctor"]
    assert found["ok"] is True


def test_doctor_says_what_is_wrong_with_a_shelf(ponder, tmp_path):
    found = ponder.json("doctor", tmp_path / "none", code=5)
    assert found["ok"] is False
    assert "there is no shelf" in found["problems"][0]


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    write(folder / "corpus.jsonl", [{"_id": "a", "text": "red kite"}, {"_id": "b", "text": "blue whale"}])
    write(folder / "queries.jsonl", [{"_id": "q", "text": "kite", "metadata": {"kind": "plain"}}])
    (folder / "qrels" / "dev.tsv").write_text("q\ta\t1\n", "utf-8")
    return folder


def test_evaluate(ponder, dataset, tmp_path):
    out = tmp_path / "run"
    lines = ponder.lines("evaluate", dataset, "--models", "fake", "--budget", "0,64", "--run-dir", out)
    assert [line["budget"] for line in lines] == [0, 64]
    for line in lines:
        assert shape(line) == GOLDEN["evaluate"]
    assert list(lines[0]) == list(GOLDEN["evaluate"])
    assert {path.name for path in out.iterdir()} >= {"manifest.json", "run-0.trec", "run-64.trec"}


def test_evaluate_with_a_common_pool(ponder, dataset):
    command = ("evaluate", dataset, "--models", "fake", "--budget", 64, "--pool", "common")
    [line] = ponder.lines(*command, "--allocate", "adaptive")
    assert shape(line) == {**GOLDEN["evaluate"], "pool": "str"}
    code, _, err = ponder(*command)
    assert code == 2
    assert "give --allocate adaptive with it" in err


def test_evaluate_for_people(ponder, dataset):
    code, out, _ = ponder("evaluate", dataset, "--models", "fake", "--budget", "0", "--by", "kind")
    assert code == 0
    assert "set dev: 1 queries, fake, reasoning on" in out
    assert "plain" in out


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--budget", "0,x"], 2, "error: not a budget: 'x' (--budget): "),
        (["--budget", "-5"], 2, "error: not a budget: '-5'"),
        (["--budget", ""], 2, "error: not a budget: ''"),
        (["--budget", "64,64"], 2, "error: a budget is there twice"),
        (["--split", "none"], 4, "error: no such split"),
        (["--reasoning", "maybe"], 2, "error: Invalid value for '--reasoning'"),
        (["--allocate", "magic"], 2, "error: unknown allocator 'magic'"),
        (["--models", "nosuch"], 2, "error: unknown models 'nosuch'"),
        (["--stages", "ecr"], 2, "error: a cascade begins with retrieve"),
    ],
)
def test_evaluate_refuses(ponder, dataset, options, code, message):
    got, out, err = ponder("evaluate", dataset, "--models", "fake", *options)
    assert (got, out) == (code, "")
    assert err.startswith(message)


def test_evaluate_moments(ponder, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(CLIP.read_bytes())
    row = {"_id": "m", "video": "clip.mp4", "text": "x", "segments": [[0, 1], [1, 2]], "relevant": [1]}
    gone = {**row, "_id": "n", "video": "gone.mp4"}
    file = write(tmp_path / "moments.jsonl", [row, gone])
    keep = tmp_path / "run"
    command = ("evaluate-moments", file, "--models", "fake", "--budget", "64", "--run-dir", keep)
    [line] = ponder.lines(*command, code=7)
    assert shape(line) == GOLDEN["evaluate-moments"]
    assert_kept(keep, line, 64)


def assert_kept(folder, line, budget):
    """The run folder's figures by query have the line's mean, and the manifest names the file."""
    rows = [json.loads(row) for row in (folder / f"queries-{budget}.jsonl").read_text().splitlines()]
    assert rows and len({row["_id"] for row in rows}) == len(rows)
    for name in rows[0]["metrics"]:
        assert sum(row["metrics"][name] for row in rows) / len(rows) == pytest.approx(line[name], abs=1e-6)
    assert all(row["tokens"]["read"] + row["tokens"]["written"] <= budget for row in rows)
    assert json.loads((folder / f"report-{budget}.json").read_text()) == line
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["dataset"]["files"]) == 1


def test_evaluate_qa(ponder, tmp_path):
    Image.new("RGB", (16, 16), "red").save(tmp_path / "red.png")
    row = {
        "_id": "x",
        "image": "red.png",
        "question": "colour?",
        "candidates": ["red", "blue"],
        "answer_index": 0,
    }
    file = write(tmp_path / "qa.jsonl", [row, {**row, "_id": "y", "image": "gone.png"}])
    keep = tmp_path / "run"
    command = ("evaluate-qa", file, "--models", "fake", "--budget", "64", "--run-dir", keep)
    [line] = ponder.lines(*command, code=7)
    assert shape(line) == GOLDEN["evaluate-qa"]
    assert_kept(keep, line, 64)
    code, out, _ = ponder("evaluate-qa", file, "--models", "fake")
    assert (code, out.split()[:2]) == (7, ["budget", "accuracy"])


def test_demo(ponder, tmp_path):
    found = ponder.json("demo", "--models", "fake", "--shelf", tmp_path / "demo")
    assert {name: shape(found[name]) for name in ("index", "seconds")} == GOLDEN["demo"]
    assert len(found["searches"]) >= 6
    for each in found["searches"]:
        assert {"title", "text", "image", "why", "found", "hits", "budget", "usage"} <= set(each)
        assert each["usage"]["read"] + each["usage"]["written"] <= each["budget"]
    again = ponder.json("demo", "--models", "fake", "--shelf", tmp_path / "demo")
    assert again["index"]["added"] == 0
