"""TREC runs in and out: trec_eval itself (pytrec_eval) says what is right."""

import json

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.metrics import scores_of
from ponder.evaluate.run_scoring import score_run
from ponder.evaluate.trec_run import falling, ordered, read_trec

OURS = {"ndcg@5": "ndcg_cut_5", "ndcg@10": "ndcg_cut_10", "recall@100": "recall_100", "hit@1": "success_1"}

names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=4)
scores = st.one_of(st.sampled_from([0.0, 1.0, 1.0 + 1e-9, -1.0, 0.5]), st.floats(-1e6, 1e6))


def write(path, rows):
    """Rows of (query, document, score)."""
    path.write_text("".join(f"{q} Q0 {d} 1 {s!r} mine\n" for q, d, s in rows), "utf-8")
    return path


def dataset(folder, queries, documents="abc", exclude=()):
    """A BEIR folder; `queries` are dicts of grades."""
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": name, "image": f"{name}.jpg"} for name in documents]
    asked = [{"_id": name, "text": "x", "metadata": {"exclude": list(exclude)}} for name in queries]
    for name, rows in (("corpus", corpus), ("queries", asked)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    judged = [f"{q}\t{d}\t{g}\n" for q, grades in queries.items() for d, g in grades.items()]
    (folder / "qrels" / "dev.tsv").write_text("".join(judged), "utf-8")
    return folder


@given(run=st.dictionaries(names, scores, min_size=1, max_size=12), grades=st.data())
def test_the_order_is_that_of_trec_eval(run, grades):
    told = grades.draw(st.dictionaries(st.sampled_from(sorted(run)), st.integers(0, 3), min_size=1))
    evaluator = pytrec_eval.RelevanceEvaluator({"q": told}, set(OURS.values()))
    official = evaluator.evaluate({"q": run})["q"]
    ours = scores_of([name for name, _ in ordered(run.items())], told)
    for mine, theirs in OURS.items():
        assert ours[mine] == pytest.approx(official[theirs], abs=1e-9)


@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_falling_scores_fall_in_single_precision_and_stay_what_they_are(values):
    values.sort(reverse=True)
    found = np.array(falling(values), np.float64)
    assert np.all(np.diff(found.astype(np.float32)) < 0)
    assert np.allclose(found, values, atol=1e-2, rtol=1e-5)
    names = [f"{place:02}" for place in range(len(values))]
    assert [name for name, _ in ordered(zip(names, found, strict=True))] == names


def test_lines_and_ranks_may_be_in_any_order(tmp_path):
    path = tmp_path / "run.trec"
    path.write_bytes(
        b"\xef\xbb\xbfq\tQ0\ta\t9\t-1e1\tmine\r\n\nq Q0 b 1 .5 mine\nr Q0 caf\xc3\xa9\xc2\xa0x -1 3 y\n"
    )
    run = read_trec(path)
    assert run.tag == "mine"
    assert run.rankings == {"q": (("b", 0.5), ("a", -10.0)), "r": (("café\xa0x", 3.0),)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("q Q0 a 1 0.5", "5 columns"),
        ("q Q0 a b 1 0.5 mine", "7 columns"),
        ("q Q0 a 1 nan mine", "not a number"),
        ("q Q0 a 1 inf mine", "not a number"),
        ("q Q0 a 1 1e999 mine", "not a number"),
        ("q Q0 a 1 1_0 mine", "not a number"),
        ("q Q0 a 0.5 1 mine", "rank is not a whole number"),
        ("q Q0 first 1 2 mine", "document 'first' twice"),
        ("q Q0 \udcff 1 2 mine", "not UTF-8"),
    ],
)
def test_bad_lines_are_refused_with_file_and_line(tmp_path, line, said):
    path = tmp_path / "run.trec"
    path.write_text(f"q Q0 first 1 3 mine\n\n{line}\n", "utf-8", errors="surrogateescape")
    with pytest.raises(InputInvalid, match=said) as raised:
        read_trec(path)
    assert raised.value.where == f"{path}:3"


def test_no_run_and_an_empty_one_are_refused(tmp_path):
    with pytest.raises(InputNotFound):
        read_trec(tmp_path / "none")
    (tmp_path / "run").write_text("\n\n")
    with pytest.raises(InputInvalid, match="empty run"):
        read_trec(tmp_path / "run")


def test_what_the_run_lacks_is_0_and_what_is_unknown_is_named(tmp_path):
    folder = dataset(tmp_path / "set", {"q1": {"a": 1}, "q2": {"b": 2}})
    rows = [("q1", "z", 3.0), ("q1", "a", 2.0), ("other", "a", 1.0)]
    found = score_run(folder, write(tmp_path / "run", rows)).fields
    assert found["queries"] == 2
    assert found["metrics"]["mrr@10"] == 0.25  # half for q1 behind z, nothing for q2
    assert found["queries_without_results"] == {"count": 1, "ids": ["q2"]}
    assert found["unknown_queries"] == {"count": 1, "ids": ["other"]}
    assert found["unknown_documents"] == {"count": 1, "ids": ["z"]}
    low, high = found["ci95"]["mrr@10"]
    assert low <= 0.25 <= high


def test_ties_at_the_top_count_against_the_run(tmp_path):
    folder = dataset(tmp_path / "set", {"q": {"c": 1}})
    found = score_run(folder, write(tmp_path / "run", [("q", "a", 1.0), ("q", "c", 1.0)])).fields
    assert found["metrics"]["hit@1"] == 1.0  # trec_eval takes the last id first
    assert found["ties"] == {"queries_with_ties_at_top": 1, "hit@1_ties_against": 0.0}


def test_excluded_documents_leave_the_ranking(tmp_path):
    folder = dataset(tmp_path / "set", {"q": {"b": 1}}, exclude=["a"])
    found = score_run(folder, write(tmp_path / "run", [("q", "a", 2.0), ("q", "b", 1.0)])).fields
    assert (found["metrics"]["hit@1"], found["excluded"]) == (1.0, 1)


def test_a_run_of_another_data_set_is_refused(tmp_path):
    folder = dataset(tmp_path / "set", {"q": {"b": 1}})
    with pytest.raises(InputInvalid, match="no query of the run is judged"):
        score_run(folder, write(tmp_path / "run", [("p", "a", 2.0)]))
