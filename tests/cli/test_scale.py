import json

from ponder.index.cache import Cache


def write_dataset(folder):
    """Five texts and three queries."""
    (folder / "qrels").mkdir(parents=True)
    texts = {"a": "a red kite", "b": "a blue whale", "c": "a steel crane", "d": "a cello", "e": "red soup"}
    asked = {"q1": ("red kite", "a"), "q2": ("whale", "b"), "q3": ("red", "e")}
    corpus = (json.dumps({"_id": name, "text": text}) for name, text in texts.items())
    queries = (json.dumps({"_id": name, "text": text}) for name, (text, _) in asked.items())
    (folder / "corpus.jsonl").write_text("\n".join(corpus))
    (folder / "queries.jsonl").write_text("\n".join(queries))
    rows = "".join(f"{name}\t{found}\t1\n" for name, (_, found) in asked.items())
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows)
    return folder


def test_a_curve_is_written(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    found = ponder.json("scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--think", 10)
    assert found == json.loads((out / "curve.json").read_text())
    names = [series["name"] for series in found["series"]]
    assert names == [
        "on-uniform",
        "on-adaptive",
        "on-uniform-think",
        "off-uniform",
        "off-uniform-think",
        "shuffled-uniform",
        "shuffled-uniform-think",
    ]
    assert [each["name"] for each in found["thinking"]] == [name for name in names if "think" in name]
    assert found["contents_sha256"]
    assert found["refused"] == []
    assert {path.name for path in out.iterdir()} == {
        "curve.json",
        "curve.svg",
        "curve.png",
        "report.md",
        "runs",
    }
    assert "| on-uniform | 40 |" in (out / "report.md").read_text()
    code, shown, _ = ponder(
        "scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--think", 10
    )
    assert code == 0
    assert "against tokens" in shown
    assert "![accuracy against tokens](curve.svg)" in shown


def test_a_dry_run_writes_nothing(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    found = ponder.json("scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--dry-run")
    assert found["tokens_at_most"] == 4 * 40 * found["queries"]
    assert found["documents_to_reason_about"] == 2 * 5
    assert not out.exists()
    with Cache(tmp_path / "cache" / "cache.sqlite") as cache:
        assert len(cache) == 0
    ponder("scale", data, "--out", out, "--models", "fake", "--budget", "0,40")
    found = ponder.json("scale", data, "--out", out, "--models", "fake", "--budget", "0,40,50", "--dry-run")
    assert (found["runs"], found["kept"], found["documents_to_reason_about"]) == (4, 8, 0)


def test_the_text_layer_is_part_of_what_is_run(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    command = ("scale", data, "--out", out, "--models", "fake", "--budget", "0", "--reasoning", "on")
    ponder.json(*command)
    found = ponder.json(*command, "--text-layer", "off", "--dry-run")
    assert (found["runs"], found["kept"]) == (2, 0)


def test_one_budget_for_all_is_compared_when_asked_for(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    command = ("scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--reasoning", "on")
    found = ponder.json(*command, "--allocate", "adaptive,common")
    assert [(each["name"], each["pool"]) for each in found["series"]] == [
        ("on-adaptive", "each"),
        ("on-common", "common"),
    ]


def test_a_way_that_is_refused_is_listed_and_the_command_ends_partly(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    command = ("scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--reasoning", "on")
    found = ponder.json(*command, "--stages", "retrieve,think:5,ecr:3", "--think", 9, code=7)
    assert [(each["name"], each["budget"]) for each in found["refused"]] == [
        ("on-uniform-think", 0),
        ("on-uniform-think", 40),
    ]
    assert [each["name"] for each in found["series"]] == ["on-uniform", "on-adaptive"]
    _, _, err = ponder(*command, "--stages", "retrieve,think:5,ecr:3", "--think", 9)
    assert "skipped: on-uniform-think @ 40: 2 stages are named 'think'" in err


def test_what_cannot_be_asked_for(ponder, tmp_path):
    data = write_dataset(tmp_path / "texts")
    for option, value, said in (
        ("--metric", "f1", "unknown measure 'f1' (--metric)"),
        ("--allocate", "magic", "unknown allocator 'magic'"),
        ("--reasoning", "loud", "unknown mode 'loud'"),
    ):
        code, _, err = ponder("scale", data, "--out", tmp_path / "out", "--models", "fake", option, value)
        assert code == 2
        assert said in err


def test_tokens_are_held_against_dimensions(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    ponder.json("scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--against", "dims")
    rows = [json.loads(line) for line in (out / "against.jsonl").read_text().splitlines()]
    assert {row["axis"] for row in rows} == {"tokens", "dims"}
    assert all(row["bytes_item"] > 0 for row in rows)
    assert (out / "against.md").read_text().strip()
    assert (out / "against.svg").exists()
