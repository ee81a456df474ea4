"""``ponder evaluate DIR --run`` and ``ponder compare A.trec B.trec``: runs of anyone's."""

import json

import pytest

# Two documents are alike: their scores are equal, and trec_eval would order them by id.
DOCUMENTS = {"kite": "a red kite", "whale": "a blue whale", "cello": "a cello", "copy": "a red kite"}
ASKED = {"q1": ("kite", {"copy": 1}, "bird"), "q2": ("whale", {"whale": 2, "kite": 1}, "")}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "set"
    (path / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "text": text} for name, text in DOCUMENTS.items()]
    queries = [
        {"_id": name, "text": text, "metadata": {"kind": kind}} for name, (text, _, kind) in ASKED.items()
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    judged = [f"{q}\t{d}\t{g}\n" for q, (_, grades, _) in ASKED.items() for d, g in grades.items()]
    (path / "qrels" / "dev.tsv").write_text("".join(judged), "utf-8")
    return path


def test_a_run_of_ours_is_scored_as_it_was(ponder, folder, tmp_path):
    whole = ponder.lines(
        "evaluate",
        folder,
        "--models",
        "fake",
        "--budget",
        "0,64",
        "--by",
        "kind",
        "--run-dir",
        tmp_path / "run",
    )
    for report in whole:
        file = tmp_path / "run" / f"run-{report['budget']}.trec"
        [again] = ponder.lines("evaluate", folder, "--run", file, "--by", "kind")
        for part in ("metrics", "ci95", "queries", "by"):
            assert again[part] == report[part]
    code, shown, _ = ponder("evaluate", folder, "--run", tmp_path / "run" / "run-0.trec", "--by", "kind")
    assert code == 0
    assert "2 queries, run-0.trec of ponder-0" in shown


def test_a_breakdown_by_what_no_query_has_is_refused(ponder, folder, tmp_path):
    (tmp_path / "a.trec").write_text("q1 Q0 kite 1 1.0 mine\n")
    for more in (("--run", tmp_path / "a.trec"), ("--models", "fake")):
        code, _, err = ponder("evaluate", folder, "--by", "kinds", *more)
        assert code == 2
        assert "fields here: kind" in err


def test_what_is_about_models_is_refused_beside_a_run(ponder, folder, tmp_path):
    (tmp_path / "a.trec").write_text("q1 Q0 kite 1 1.0 mine\n")
    for more in (("--models", "fake"), ("--run-dir", tmp_path / "out"), ("--reason-tokens", "3")):
        code, _, err = ponder("evaluate", folder, "--run", tmp_path / "a.trec", *more)
        assert code == 2 and more[0] in err


def test_bad_runs_end_with_5_and_say_where(ponder, folder, tmp_path):
    (tmp_path / "a.trec").write_text("q1 Q0 kite 1 1.0 mine\nq1 Q0 kite 2 0.5 mine\n")
    code, out, err = ponder("evaluate", folder, "--run", tmp_path / "a.trec", "--json")
    assert (code, out) == (5, "") and "a.trec:2" in err
    assert ponder("evaluate", folder, "--run", tmp_path / "none")[0] == 4


def test_what_is_unknown_is_shown(ponder, folder, tmp_path):
    (tmp_path / "a.trec").write_text("q1 Q0 [b] 1 1.0 mine\nq9 Q0 kite 2 0.5 mine\n")
    _, shown, _ = ponder("evaluate", folder, "--run", tmp_path / "a.trec")
    for said in ("without results: 1 (q2)", "unknown queries: 1 (q9)", "unknown documents: 1 ([b])"):
        assert said in shown


def test_runs_are_compared_with_each_other_and_with_folders(ponder, folder, tmp_path):
    ponder("evaluate", folder, "--models", "fake", "--budget", "0", "--run-dir", tmp_path / "run")
    a, b = tmp_path / "a.trec", tmp_path / "run" / "run-0.trec"
    a.write_text("q1 Q0 cello 1 1.0 mine\nq2 Q0 cello 1 1.0 mine\nq2 Q0 whale 2 .5 mine\n")
    found = ponder.json("compare", a, b, "--data", folder, "--out", tmp_path / "out")
    [part] = found["parts"]
    assert (part["name"], part["queries"]) == ("set", 2)
    assert part["metrics"]["mrr@10"]["a"] == 0.25
    assert "- `q2` whale (+1.000)" in (tmp_path / "out" / "compare.md").read_text("utf-8")
    [same] = ponder.json("compare", b, tmp_path / "run", "--data", folder)["parts"]
    assert all(figure["difference"] == 0 for figure in same["metrics"].values())
    for wrong in ((a, b), (a, b, "--data", folder, "--budget-a", "0")):
        assert ponder("compare", *wrong)[0] == 2
    assert ponder("compare", a, b, "--data", folder, "--split", "none")[0] == 4
