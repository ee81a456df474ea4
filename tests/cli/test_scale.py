import json


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
    assert names == ["on-uniform", "on-adaptive", "on-uniform-think", "off-uniform", "shuffled-uniform"]
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


def test_a_dry_run_writes_nothing(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "out"
    found = ponder.json("scale", data, "--out", out, "--models", "fake", "--budget", "0,40", "--dry-run")
    assert found["tokens_at_most"] == 4 * 40 * found["queries"]
    assert not out.exists()


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
