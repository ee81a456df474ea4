"""``ponder compare``: two runs of the same queries, by query."""

import json

import pytest
from PIL import Image

from ponder.evaluate.comparing.paired import compare
from ponder.evaluate.comparing.runs import read_run
from ponder.evaluate.page import html_page, plain, table_lines


def write_run(folder, values, budget=0, rankings=None, name="set"):
    """A folder as ``ponder evaluate --run-dir`` writes it: hit@1 by query."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"_id": key, "metrics": {"hit@1": value, "mrr@10": value / 2}} for key, value in values.items()]
    (folder / f"queries-{budget}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    lines = [
        f"{query} Q0 {document} {rank} {1 / rank} ponder\n"
        for query, documents in (rankings or {}).items()
        for rank, document in enumerate(documents, 1)
    ]
    (folder / f"run-{budget}.trec").write_text("".join(lines), "utf-8")
    manifest = {"dataset": {"name": name, "split": "dev"}}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


def write_predictions(folder, rankings, task="MSVD", label="right"):
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"prediction": names, "label": label, "rel_scores": None} for names in rankings]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"{task}_pred.jsonl").write_text(text, "utf-8")
    return folder


def test_figures_are_of_the_queries_that_both_have(ponder, tmp_path):
    a = write_run(tmp_path / "a", {"q1": 1.0, "q2": 0.0, "q3": 1.0, "only": 1.0})
    b = write_run(tmp_path / "b", {"q1": 0.0, "q2": 1.0, "q3": 1.0, "other": 0.0, "more": 0.0})
    found = ponder.json("compare", a, b)
    [part] = found["parts"]
    assert (part["queries"], part["only_in_a"], part["only_in_b"]) == (3, 1, 2)
    assert (part["won"], part["lost"], part["same"]) == (1, 1, 1)
    assert [each["_id"] for each in part["worst"]] == ["q1"]
    assert [each["_id"] for each in part["best"]] == ["q2"]
    figure = part["metrics"]["hit@1"]
    assert figure["a"] == figure["b"] == pytest.approx(2 / 3)
    assert figure["ci95"][0] < 0 < figure["ci95"][1]
    assert figure["difference"] == 0.0


def test_a_run_against_itself_differs_nowhere(ponder, tmp_path):
    a = write_run(tmp_path / "a", {"q1": 1.0, "q2": 0.0})
    [part] = ponder.json("compare", a, a)["parts"]
    assert part["metrics"]["mrr@10"]["ci95"] == [0.0, 0.0]
    assert part["won"] == part["lost"] == 0


def test_swapping_the_runs_swaps_the_signs(tmp_path):
    a = read_run(write_run(tmp_path / "a", {"q1": 1.0, "q2": 0.0, "q3": 0.5}))
    b = read_run(write_run(tmp_path / "b", {"q1": 0.0, "q2": 0.25, "q3": 0.0}))
    [there], [back] = compare(a, b).parts, compare(b, a).parts
    assert [-gap for gap in there.gaps] == back.gaps
    assert [move.id for move in there.won] == [move.id for move in back.lost]
    assert there.figures[0].difference.low == pytest.approx(-back.figures[0].difference.high)


def test_what_the_manifests_say_differently_is_told(ponder, tmp_path):
    a, b = (write_run(tmp_path / name, {"q": 1.0}) for name in "ab")
    told = json.loads((b / "manifest.json").read_text("utf-8"))
    told |= {"command": ["elsewhere"], "models": {"name": "mine"}, "settings": {"gates": False}}
    (b / "manifest.json").write_text(json.dumps(told), "utf-8")
    found = ponder.json("compare", a, b, "--out", tmp_path / "out")
    assert found["differs"] == {"models.name": ["", "mine"], "settings.gates": ["", "false"]}
    assert "models.name: nothing → mine" in ponder("compare", a, b)[1]
    assert "| settings.gates |  | false |" in (tmp_path / "out" / "compare.md").read_text("utf-8")


def test_each_runs_largest_budget_unless_told(ponder, tmp_path):
    a = write_run(tmp_path / "a", {"q": 0.0}, budget=0)
    write_run(tmp_path / "a", {"q": 1.0}, budget=256)
    assert ponder.json("compare", a, a, "--budget-a", 0)["parts"][0]["won"] == 1
    assert ponder.json("compare", a, a)["a"] == "a @ 256"
    assert ponder("compare", a, a, "--budget-b", 7)[0] == 2


def test_predictions_are_compared_task_by_task(ponder, tmp_path):
    good, bad = ["right", "x", "y"], ["x", "y", "right"]
    a = write_predictions(tmp_path / "a", [good, good, bad, good])
    write_predictions(tmp_path / "a", [good], task="OnlyHere")
    write_predictions(tmp_path / "a", [good, bad], task="ViDoRe_docvqa")
    b = write_predictions(tmp_path / "b", [good, bad, bad, good])
    write_predictions(tmp_path / "b", [good, good], task="ViDoRe_docvqa")
    found = ponder.json("compare", a, b)
    parts = {part["name"]: part for part in found["parts"]}
    assert found["only_in_a"] == ["OnlyHere"]
    assert (parts["MSVD"]["metric"], parts["ViDoRe_docvqa"]["metric"]) == ("hit@1", "ndcg_linear@5")
    assert (parts["MSVD"]["lost"], parts["ViDoRe_docvqa"]["won"]) == (1, 1)
    # Pages rise by half of what a third place lacks, clips fall by a quarter: tasks count alike.
    assert found["overall"]["difference"] == pytest.approx((-1 / 4 + (1 - 0.5) / 2) / 2)
    assert ponder("compare", a, b)[0] == 0
    by_rank = ponder.json("compare", a, b, "--metric", "mrr@10")
    assert {part["metric"] for part in by_rank["parts"]} == {"mrr@10"}


def test_queries_that_a_run_could_not_ask_do_not_shift_the_others(ponder, tmp_path):
    good, bad = ["right", "x"], ["x", "right"]
    a = write_predictions(tmp_path / "a", [good, bad, good])
    b = write_predictions(tmp_path / "b", [bad, good])
    answers = [{"task": "MSVD"}, {"query": 2}, {"query": 1}, {"query": 0, "lost": "no picture"}]
    text = "".join(json.dumps(row) + "\n" for row in answers)
    (b / "MSVD_answers.jsonl").write_text(text, "utf-8")
    [part] = ponder.json("compare", a, b)["parts"]
    assert (part["queries"], part["only_in_a"], part["won"], part["lost"]) == (2, 1, 0, 0)


@pytest.mark.parametrize(
    ("change", "code", "wanted"),
    [
        ({"label": "another"}, 5, "query 0 has other labels"),
        ({"task": "VATEX"}, 5, "'MSVD' and 'VATEX'"),
    ],
)
def test_runs_of_other_queries_are_refused(ponder, tmp_path, change, code, wanted):
    a = write_predictions(tmp_path / "a", [["right"]])
    b = write_predictions(tmp_path / "b", [["right"]], **change)
    got, _, err = ponder("compare", a, b)
    assert got == code
    assert wanted in err


def test_what_is_no_run_is_refused(ponder, tmp_path):
    a = write_run(tmp_path / "a", {"q": 0.0})
    assert ponder("compare", a, tmp_path / "nowhere")[0] == 4
    (tmp_path / "empty").mkdir()
    assert ponder("compare", a, tmp_path / "empty")[0] == 5
    assert ponder("compare", a, a, "--metric", "hit@7")[0] == 2
    other = write_run(tmp_path / "other", {"another": 0.0})
    assert "no query in common" in ponder("compare", a, other)[2]
    (a / "run-0.trec").write_text("q Q0 d\n", "utf-8")
    assert "run-0.trec:1" in ponder("compare", a, a)[2]


def test_the_worst_regressions_are_shown_with_their_pictures(ponder, tmp_path):
    data = tmp_path / "set"
    (data / "qrels").mkdir(parents=True)
    colours = {"red": "#f00", "blue": "#00f", "green": "#0f0"}
    for name, colour in colours.items():
        Image.new("RGB", (900, 500), colour).save(data / f"{name}.png")
    corpus = [{"_id": name, "text": "", "image": f"{name}.png"} for name in colours]
    (data / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus), "utf-8")
    query = {"_id": "q", "text": "a [red](http://elsewhere) | <b>thing</b>"}
    (data / "queries.jsonl").write_text(json.dumps(query) + "\n", "utf-8")
    (data / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq\tred\t1\n", "utf-8")
    a = write_run(tmp_path / "a", {"q": 1.0}, rankings={"q": ["red", "blue"]})
    b = write_run(tmp_path / "b", {"q": 0.0}, rankings={"q": ["blue", "red"]})
    assert ponder("compare", a, b, "--data", data, "--out", tmp_path / "out")[0] == 0
    text = (tmp_path / "out" / "compare.md").read_text("utf-8")
    assert "The worst 1 of 1 lost" in text
    pictures = {path.name for path in (tmp_path / "out" / "pictures").iterdir()}
    assert len(pictures) == 2
    with Image.open(tmp_path / "out" / "pictures" / pictures.pop()) as picture:
        assert max(picture.size) <= 224
    page = (tmp_path / "out" / "compare.html").read_text("utf-8")
    assert "<b>" not in page
    assert 'href="http' not in page
    assert page.count('<img src="pictures/') == 5
    # Without the data there are words and ids.
    assert ponder("compare", a, b, "--out", tmp_path / "bare")[0] == 0
    assert "`blue`" in (tmp_path / "bare" / "compare.md").read_text("utf-8")
    assert not (tmp_path / "bare" / "pictures").exists()


@pytest.mark.parametrize(
    "text", ["![x](http://y/z.png)", "<script>1</script>", "`a`", "a | b", "# a", "*a*", "&lt;"]
)
def test_foreign_words_do_nothing_on_a_page(text):
    lines = "\n".join(table_lines(["head"], [[plain(text)]]))
    page = html_page("t", f"{plain(text)}\n\n{lines}\n").split("<body>")[1]
    assert "<img" not in page
    assert "<script" not in page
    assert "<em>" not in page
    assert "<h1>" not in page
    assert page.count("<td>") == 1


def test_a_real_evaluation_compares_with_itself(ponder, tmp_path):
    data = tmp_path / "set"
    (data / "qrels").mkdir(parents=True)
    (data / "corpus.jsonl").write_text(
        '{"_id": "k", "text": "a red kite"}\n{"_id": "w", "text": "a blue whale"}\n', "utf-8"
    )
    (data / "queries.jsonl").write_text('{"_id": "q", "text": "whale"}\n', "utf-8")
    (data / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq\tw\t1\n", "utf-8")
    run = tmp_path / "run"
    assert ponder("evaluate", data, "--models", "fake", "--budget", "0,64", "--run-dir", run)[0] == 0
    found = ponder.json("compare", run, run, "--budget-a", 0, "--data", data, "--out", tmp_path / "out")
    assert (found["a"], found["b"]) == ("run @ 0", "run @ 64")
    assert found["parts"][0]["queries"] == 1
