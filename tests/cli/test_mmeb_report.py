"""``ponder mmeb report``: means, what is left out of a submission, and the comparison."""

import json

import pytest

from ponder.evaluate.mmeb.scores import read_scores
from ponder.evaluate.mmeb.tasks import tasks


def write_scores(folder, value, left_out=(), **more):
    """All 78 tasks with one figure, but for those left out; `more` has a task's other fields."""
    for task in tasks():
        if task.name in left_out:
            continue
        place = folder / task.modality
        place.mkdir(parents=True, exist_ok=True)
        score = {task.metric: value, "num_pred": 3, "num_data": 3, **more.get(task.name, {})}
        (place / f"{task.name}_score.json").write_text(json.dumps(score), "utf-8")
    return folder


def test_all_78_are_there(ponder, tmp_path):
    found = ponder.json("mmeb", "report", write_scores(tmp_path, 0.5))
    assert found["overall"]["mean_of_found"] == found["overall"]["mean_with_missing_as_0"] == 0.5
    assert found["overall"]["found"] == 78
    assert [found["modalities"][m]["expected"] for m in ("image", "video", "visdoc")] == [36, 18, 24]
    assert sum(each["n"] for each in found["meta_tasks"].values()) == 78
    assert found["submission"] == {"path": None, "missing": [], "left_out": [], "forced": []}
    # The official script does not find two tasks that it renamed itself.
    assert found["official_printed"]["averages"][2].endswith("0.5000 (from 22 datasets)")


def test_what_is_missing_counts_as_0_in_the_honest_mean_and_is_named(ponder, tmp_path):
    found = ponder.json("mmeb", "report", write_scores(tmp_path, 0.5, left_out=("MSVD", "CIRR")))
    assert found["overall"]["mean_of_found"] == 0.5
    assert found["overall"]["mean_with_missing_as_0"] == pytest.approx(0.5 * 76 / 78, abs=1e-4)
    assert found["modalities"]["video"]["missing"] == ["MSVD"]
    assert found["submission"]["missing"] == ["CIRR", "MSVD"]
    code, out, _ = ponder("mmeb", "report", tmp_path)
    assert code == 0
    assert "no score: CIRR, MSVD" in out


def test_an_incomplete_task_is_left_out_unless_forced(ponder, tmp_path):
    part = {"incomplete": {"missing": 4}, "ponder": {"ties_against": {"hit@1": 0.25}}, "hit@1": 1.0}
    folder = write_scores(tmp_path / "run", 0.5, MSVD=part)
    file = tmp_path / "deep" / "submission.json"
    found = ponder.json("mmeb", "report", folder, "--submission", file)
    assert found["incomplete"] == {"MSVD": 4}
    assert found["submission"]["left_out"] == ["MSVD"]
    assert found["modalities"]["video"]["missing"] == ["MSVD"]
    assert found["overall"]["mean_of_found"] == 0.5
    sent = json.loads(file.read_text("utf-8"))
    assert sent["metrics"]["video"]["MSVD"] == "FILE_N/A"
    assert sent["metadata"]["model_name"] == "run"
    assert list(sent["metrics"]["visdoc"])[-4:] == [
        "ViDoSeek-page-fixed",
        "ViDoSeek-doc",
        "MMLongBench-page-fixed",
        "MMLongBench-doc",
    ]
    forced = ponder.json("mmeb", "report", folder, "--submission", file, "--force")
    assert forced["submission"]["forced"] == ["MSVD"]
    # What is ours stays ours.
    assert json.loads(file.read_text("utf-8"))["metrics"]["video"]["MSVD"] == {
        "hit@1": 1.0,
        "num_pred": 3,
        "num_data": 3,
    }
    again = ponder.json("mmeb", "report", file)
    assert again["overall"] == forced["overall"]


def test_budgets_are_told_apart_and_what_they_gain(ponder, tmp_path):
    write_scores(tmp_path / "budget-0", 0.5)
    write_scores(tmp_path / "budget-256", 0.5, MSVD={"hit@1": 0.9}, CIRR={"hit@1": 0.4})
    found = ponder.json(
        "mmeb", "report", tmp_path, "--pages", tmp_path / "pages", "--model-name", "my|*model*"
    )
    assert found["overall"]["mean_of_found"] == pytest.approx(0.5 + 0.3 / 78, abs=1e-4)
    text = (tmp_path / "pages" / "comparison.md").read_text("utf-8")
    [gains] = [line for line in text.splitlines() if line.startswith("| 0 → 256 |")]
    assert "MSVD +40.0" in gains
    assert "CIRR -10.0" in gains
    board = text.split("## By meta-task")[0].splitlines()
    places = [number for number, line in enumerate(board) if "this run" in line]
    assert len(places) == 2
    assert any("WeMM-Embedding-9B" in line for line in board[: places[0]])
    page = (tmp_path / "pages" / "comparison.html").read_text("utf-8")
    assert "my|*model*, 256 tokens a query</strong>" in page
    assert ponder.json("mmeb", "report", tmp_path, "--budget", 0)["overall"]["mean_of_found"] == 0.5
    assert "budget 256" in ponder("mmeb", "report", tmp_path)[1].splitlines()
    assert ponder("mmeb", "report", tmp_path, "--budget", 1)[0] == 2


def test_what_cannot_be_read_is_told_as_the_official_report_does(tmp_path):
    write_scores(tmp_path, 0.5)
    (tmp_path / "video" / "MSVD_score.json").write_text("{", "utf-8")
    (tmp_path / "video" / "VATEX_score.json").write_text("[]", "utf-8")
    (tmp_path / "video" / "K700_score.json").write_text('{"hit@1": NaN}', "utf-8")
    (tmp_path / "image").rename(tmp_path / "pictures")
    found = {entry.task.name: entry for entry in read_scores(tmp_path).entries}
    assert (found["MSVD"].status, found["VATEX"].status) == ("JSON_ERROR", "JSON_ERROR")
    assert (found["K700"].status, found["K700"].value) == ("", None)
    assert found["CIRR"].status == "DIR_N/A"


@pytest.mark.parametrize("text", ["[]", '{"metrics": 3}', '{"metrics": {"image": []}}', "{"])
def test_what_is_no_report_is_refused(ponder, tmp_path, text):
    (tmp_path / "report.json").write_text(text, "utf-8")
    code, _, err = ponder("mmeb", "report", tmp_path / "report.json")
    assert code == 5
    assert "report.json" in err
    assert ponder("mmeb", "report", tmp_path)[0] == 5
    assert ponder("mmeb", "report", tmp_path / "nowhere")[0] == 4
