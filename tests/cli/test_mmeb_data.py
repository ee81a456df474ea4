"""``ponder mmeb tasks``, ``show`` and ``verify``."""

import json

import pytest

from ponder.testing.mmeb import make_layout


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    make_layout(folder)
    return folder


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))


def test_the_78(ponder):
    found = ponder.json("mmeb", "tasks")
    assert len(found) == 78 and len(ponder.json("mmeb", "tasks", "--all")) == 81
    assert {"name", "meta_task", "modality", "metric", "candidate_scope", "num_queries"} <= set(found[0])
    code, shown, _ = ponder("mmeb", "tasks")
    assert code == 0 and len(shown.splitlines()) == 79


def test_a_line_a_query_with_plain_and_official_names(ponder, data):
    found = ponder.lines("mmeb", "show", data, "MSVD")
    assert [each["index"] for each in found] == [0, 1, 2]
    assert found[1] == {
        "kind": "query",
        "index": 1,
        "text": "Find the video snippet that corresponds to the given summary: "
        "a red square goes from left to right",
        "media": None,
        "candidates": ["1"],
        "gold": ["1"],
        "rel_scores": None,
        "problem": "",
        "note": "",
        "query_text": found[1]["text"],
        "query_media": None,
        "cand_names": ["1"],
        "label_name": "1",
        "info": {"cand_names": ["1"], "label_name": "1"},
    }
    assert found[0]["pool"] == ["0", "1", "2"]


def test_candidates_are_in_the_order_of_the_pool(ponder, data):
    found = ponder.lines("mmeb", "show", data, "ViDoRe_arxivqa", "--candidates")
    assert [each["name"] for each in found] == [each["cand_name"] for each in found] == [0, 1, 2, 3, 4]
    assert found[0]["cand_media"] == ["data_basedir/visdoc-tasks/ViDoRe_arxivqa/0.png"]
    both = ponder.lines("mmeb", "show", data, "ViDoRe_arxivqa", "--candidates", "--queries", "--limit", "2")
    assert [each["kind"] for each in both] == ["query"] * 2 + ["candidate"] * 2
    assert both[0]["rel_scores"] == [2, 1] and both[0]["gold"] == both[0]["label_name"] == [0, 1]


def test_further_fields_of_the_official_line_are_in_info(ponder, data):
    info = ponder.lines("mmeb", "show", data, "NExTQA")[0]["info"]
    assert (info["question_id"], info["type"], info["answer_idx"]) == (0, "DO", 0)


def test_show_for_people(ponder, data):
    code, shown, _ = ponder("mmeb", "show", data, "RefCOCO-Matching")
    assert code == 0 and "0.jpg" in shown and "middle of the red disc" in shown
    code, shown, _ = ponder("mmeb", "show", data, "MSVD", "--candidates")
    assert code == 0 and "2.jpg and 7 more" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("{data}", "MSVDD"), 2, "did you mean MSVD"),
        (("{data}", "K700"), 3, "hf download VLM2Vec/Kinetics-700"),
        (("{data}/none", "MSVD"), 4, "no such data directory"),
    ],
)
def test_show_says_what_is_wrong(ponder, data, arguments, code, said):
    got, shown, error = ponder("mmeb", "show", *(each.format(data=data) for each in arguments), "--json")
    assert (got, shown) == (code, "")
    assert error.startswith("error: ") and said in error


def test_verify_tells_present_missing_and_wrong(ponder, data):
    found = ponder.json("mmeb", "verify", data, "--tasks", "V-RET,K700", code=7)
    assert (found["present"], found["missing"]) == ([], ["K700"])
    assert found["wrong"] == ["DiDeMo", "MSR-VTT", "MSVD", "VATEX", "YouCook2"]
    assert len(found["commands"]) == len(set(found["commands"]))
    assert {each["task"]: each["state"] for each in found["tasks"]}["MSVD"] == "differs"
    assert found["bytes"] == sum(each["bytes"] for each in found["tasks"])


def test_where_all_is_well_the_code_is_0(ponder, tmp_path):
    # Nobody published a number of queries for this one.
    name = "ViDoRe_esg_reports_v2"
    make_layout(tmp_path)
    repo = (tmp_path / "hf/vidore/arxivqa_test_subsampled_beir").rename(tmp_path / "hf/vidore/esg_reports_v2")
    (repo / "queries" / "test-00000-of-00001.parquet").unlink()
    row = {"query-id": 100, "query": "a red disc", "language": "english"}
    (repo / "queries" / "test.jsonl").write_text(json.dumps(row) + "\n")
    found = ponder.json("mmeb", "verify", tmp_path, "--tasks", name, "--deep")
    assert (found["present"], found["commands"]) == ([name], [])


def test_verify_refuses_what_is_no_task(ponder, data):
    code, _, error = ponder("mmeb", "verify", data, "--tasks", "MSVDD")
    assert code == 2 and "did you mean MSVD" in error


def test_verify_for_people(ponder, data):
    code, shown, _ = ponder("mmeb", "verify", data, "--tasks", "MSVD,K700")
    assert code == 7
    assert "1 are missing, such as K700" in shown and "0 of 2 ready" in shown
    assert "  hf download VLM2Vec/Kinetics-700 --repo-type dataset" in shown
