"""``ponder mmeb score`` and ``convert``: what goes in, what comes out, and what is refused."""

import json
import os
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

NAMES = ["a", "b", "c", "d"]


@pytest.fixture
def case(tmp_path):
    """Writes a CASE_DIR: two queries that are candidates a and b, unless told."""

    def write(infos=None, *, names=NAMES, queries=None, pool=None, scope="global", **lines):
        folder = tmp_path / "case"
        folder.mkdir(exist_ok=True)
        pool = np.eye(4, dtype=np.float32) if pool is None else pool
        np.save(folder / "qry.npy", pool[:2] if queries is None else queries)
        np.save(folder / "tgt.npy", pool)
        infos = infos or [
            {"cand_names": ["a"], "label_name": "a"},
            {"cand_names": ["b"], "label_name": ["b"]},
        ]
        (folder / "info.jsonl").write_text("".join(json.dumps(each) + "\n" for each in infos), "utf-8")
        (folder / "cand_ids.json").write_text(json.dumps(names), "utf-8")
        (folder / "meta.json").write_text(json.dumps({"candidate_scope": scope}), "utf-8")
        return folder

    return write


def test_the_shape_of_what_is_printed(ponder, case):
    found = ponder.json("mmeb", "score", case())
    assert found["metrics"]["hit@1"] == 1.0
    assert found["metrics"]["num_pred"] == found["metrics"]["num_data"] == 2
    assert len(found["metrics"]) == 26
    # Both queries leave three candidates at 0: no label among them, nothing open.
    assert found["ambiguous"] == []
    assert found["ties_against"]["hit@1"] == 1.0
    assert "textbook" not in found
    assert found["notes"] == {}


def test_a_person_is_shown_what_is_open(ponder, case):
    code, out, _ = ponder("mmeb", "score", case(pool=np.ones((4, 2), np.float32)))
    assert code == 0
    assert "not well defined: candidates with one score" in out
    assert "0.0000-1.0000" in out


def test_embeddings_may_be_safetensors(ponder, case):
    folder = case()
    for side in ("qry", "tgt"):
        save_file({"embeddings": np.load(folder / f"{side}.npy")}, folder / f"T_{side}.safetensors")
        (folder / f"{side}.npy").unlink()
    assert ponder.json("mmeb", "score", folder)["metrics"]["hit@1"] == 1.0


def test_what_is_written_is_read_again(ponder, case, tmp_path):
    infos = [{"cand_names": ["a", "b"], "label_name": ["a", "c"], "rel_scores": [2, 1]}] * 2
    folder = case(infos)
    first = ponder.json("mmeb", "score", folder, "--out", tmp_path / "out", "--task", "T", "--depth", 3)
    [line, _] = (tmp_path / "out" / "T_pred.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line) == {"prediction": ["a", "b", "c"], "label": ["a", "c"], "rel_scores": [2, 1]}
    lines = (tmp_path / "out" / "T_info.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(each) for each in lines] == infos
    kept = json.loads((tmp_path / "out" / "T_score.json").read_text("utf-8"))
    assert {name: kept[name] for name in first["metrics"]} == first["metrics"]
    assert kept["ponder"]["ties_against"] == first["ties_against"]
    again = ponder.json("mmeb", "score", tmp_path / "out")
    assert again["metrics"] == pytest.approx(first["metrics"])


def test_what_is_odd_is_counted(ponder, case):
    infos = [
        {"cand_names": ["a", "a", "b"], "label_name": ["a", "zebra"]},
        {"cand_names": ["b"], "label_name": []},
    ]
    pool = np.eye(4, dtype=np.float32)
    pool[3, 0] = np.nan
    found = ponder.json("mmeb", "score", case(infos, scope="local", pool=pool))
    assert found["notes"] == {
        "labels_not_in_pool": 1,
        "queries_without_labels": 1,
        "queries_with_repeated_candidates": 1,
        "vectors_not_finite": 1,
    }
    assert "ndcg_linear@5" in found["textbook"]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"infos": [{"cand_names": [], "label_name": ["a", "a"], "rel_scores": [1, 2]}] * 2}, "info.jsonl:1"),
        (
            {"infos": [{"cand_names": [], "label_name": ["a"], "rel_scores": [1, 2]}] * 2},
            "2 grades of 1 labels",
        ),
        ({"infos": [{"cand_names": [], "label_name": ["a"], "rel_scores": [-1]}] * 2}, "negative"),
        ({"infos": [{"label_name": "a"}, {"cand_names": []}]}, "info.jsonl:2"),
        ({"infos": [{"label_name": True}] * 2}, '"label_name" is missing'),
        (
            {"infos": [{"label_name": "a", "cand_names": ["a", "x"]}] * 2, "scope": "local"},
            "'x' is in no pool",
        ),
        ({"infos": [{"label_name": "a"}] * 2, "scope": "local"}, "no candidates"),
        ({"infos": [{"label_name": "a"}] * 3}, "2 vectors of 3 queries"),
        ({"names": ["a", "b", "c"]}, "4 vectors of 3 candidates"),
        ({"names": ["a", "b", "c", "a"]}, "'a' is there 2 times"),
        ({"names": ["a", "b", "c", 1.5]}, "not a list of names"),
        ({"queries": np.ones((2, 3), np.float32)}, "queries are 3 wide, candidates 4"),
        ({"queries": np.ones((2, 3, 4), np.float32)}, "shape (2, 3, 4)"),
        ({"queries": np.ones((2, 4), np.int64)}, "an array of int64"),
        ({"scope": "both"}, "\"candidate_scope\" is 'both'"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_place(ponder, case, change, wanted):
    code, out, err = ponder("mmeb", "score", case(**change), "--json")
    assert (code, out) == (5, "")
    assert wanted in err


def test_nothing_says_whose_the_candidates_are(ponder, case):
    folder = case()
    (folder / "meta.json").unlink()
    assert ponder("mmeb", "score", folder)[0] == 2
    assert ponder("mmeb", "score", folder, "--scope", "global")[0] == 0
    assert ponder("mmeb", "score", folder, "--task", "MSVD")[0] == 0
    assert ponder("mmeb", "score", folder / "nowhere")[0] == 4
    (folder / "qry.npy").unlink()
    assert ponder("mmeb", "score", folder, "--scope", "global")[0] == 4


def test_predictions_of_another_task_are_refused(ponder, tmp_path):
    lines = [{"prediction": ["a", "b"], "label": "a", "rel_scores": None}]
    (tmp_path / "T_pred.jsonl").write_text(json.dumps(lines[0]) + "\n", "utf-8")
    assert ponder.json("mmeb", "score", tmp_path)["metrics"]["hit@1"] == 1.0
    (tmp_path / "cand_ids.json").write_text('["x", "b"]', "utf-8")
    code, _, err = ponder("mmeb", "score", tmp_path)
    assert code == 5
    assert "T_pred.jsonl:1" in err
    assert "'a' among them" in err
    (tmp_path / "cand_ids.json").write_text('["a", "b", "c"]', "utf-8")
    assert ponder.json("mmeb", "score", tmp_path)["notes"] == {"short_predictions": 1}
    (tmp_path / "info.jsonl").write_text('{"label_name": "b"}\n', "utf-8")
    assert "another task" in ponder("mmeb", "score", tmp_path)[2]
    (tmp_path / "info.jsonl").write_text('{"label_name": "a"}\n' * 2, "utf-8")
    assert "1 predictions of 2 queries" in ponder("mmeb", "score", tmp_path)[2]


def test_several_tasks_want_a_name(ponder, tmp_path):
    for task in ("A", "B"):
        line = {"prediction": ["a"], "label": "a", "rel_scores": None}
        (tmp_path / f"{task}_pred.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    code, _, err = ponder("mmeb", "score", tmp_path)
    assert (code, "name the --task" in err) == (5, True)
    assert ponder("mmeb", "score", tmp_path, "--task", "A")[0] == 0


class Harmful:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_pickles_are_refused_and_the_converter_is_named(ponder, case):
    folder = case()
    vectors = np.load(folder / "qry.npy")
    (folder / "qry.npy").unlink()
    (folder / "T_qry").write_bytes(pickle.dumps(vectors))
    code, _, err = ponder("mmeb", "score", folder)
    assert code == 5
    assert "T_qry" in err
    assert "ponder mmeb convert" in err
    np.save(folder / "qry.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert ponder("mmeb", "score", folder)[0] == 5


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_official_embeddings_are_converted_and_score_the_same(ponder, case, tmp_path, protocol):
    folder = case()
    official = tmp_path / "official"
    official.mkdir()
    pool = np.load(folder / "tgt.npy")
    (official / "T_qry").write_bytes(pickle.dumps(np.load(folder / "qry.npy"), protocol))
    (official / "T_tgt").write_bytes(pickle.dumps(dict(zip(NAMES, pool, strict=True)), protocol))
    for side in ("qry", "tgt"):
        ponder.json("mmeb", "convert", official / f"T_{side}", folder)
        (folder / f"{side}.npy").unlink()
    assert json.loads((folder / "T_cand_ids.json").read_text("utf-8")) == NAMES
    assert ponder.json("mmeb", "score", folder, "--task", "T", "--scope", "global")["metrics"]["hit@1"] == 1.0


@pytest.mark.parametrize(
    "make",
    [
        Harmful,
        lambda path: {"a": Harmful(path)},
        lambda path: np.array([Harmful(path), 1], dtype=object),
        lambda path: np.zeros((2, 3, 4), np.float32),
        lambda path: {"a": np.zeros(2), "b": np.zeros(3)},
        lambda path: {1.5: np.zeros(2)},
        lambda path: ["words"],
        lambda path: [],
    ],
)
def test_the_converter_refuses_all_else_and_runs_nothing(ponder, tmp_path, make):
    (tmp_path / "T_tgt").write_bytes(pickle.dumps(make(tmp_path / "harm")))
    code, _, err = ponder("mmeb", "convert", tmp_path / "T_tgt", tmp_path / "out")
    assert code == 5
    assert "T_tgt" in err
    assert not (tmp_path / "harm").exists()
    assert not (tmp_path / "out").exists()


def test_a_pickle_that_was_cut_off_is_refused(ponder, tmp_path):
    whole = pickle.dumps(np.ones((2, 2)))
    for length in range(len(whole)):
        (tmp_path / "T_qry").write_bytes(whole[:length])
        assert ponder("mmeb", "convert", tmp_path / "T_qry", tmp_path)[0] == 5
