"""Every case of the official fixture through the public commands; skipped where it is not here."""

import json

import pytest
from scoring_cases import FIXTURE, needs_fixture

from ponder.cli.main import run

pytestmark = needs_fixture

CASES = sorted(path.parent.name for path in FIXTURE.glob("parity/*/meta.json"))
LAYOUT = FIXTURE / "official_layout"
TASKS = sorted(path.name for path in LAYOUT.glob("e2e/*") if path.is_dir())


def told(capsys, *arguments, code=0):
    capsys.readouterr()
    got = run([str(each) for each in (*arguments, "--json")])
    out, err = capsys.readouterr()
    assert got == code, err
    return json.loads(out) if code == 0 else err


def expected(path):
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_parity(name, capsys, tmp_path):
    folder = FIXTURE / "parity" / name
    wanted = expected(folder / "expected.json")
    if "official_raises" in wanted:
        assert "info.jsonl:" in told(capsys, "mmeb", "score", folder, code=5)
        return
    depth = wanted["predictions_truncated_to"] or wanted["num_candidates"]
    found = told(capsys, "mmeb", "score", folder, "--out", tmp_path, "--depth", depth)
    official = found["metrics"]
    assert all(
        official[key] == pytest.approx(value, abs=1e-6) for key, value in (wanted["metrics"] or {}).items()
    )
    spans = {each["metric"]: each for each in found["ambiguous"]}
    if not wanted["official_is_ambiguous"]:
        assert set(official) == set(wanted["metrics"])
        assert spans == {}
    else:
        ambiguity = wanted["ambiguity"]
        bounds = ambiguity.get("bounds_over_all_pairings", ambiguity)
        policy = ambiguity.get("value_by_policy", {}).get("stable_sort_candidate_order_kept")
        _check_ambiguity(found, spans, bounds, policy or ambiguity["value_if_label_order_is_respected"])
        if policy:
            least = {key: found["ties_against"][key] for key in bounds["min"]}
            assert least == pytest.approx(bounds["min"], abs=1e-6)
    textbook = wanted.get("value_if_label_order_is_respected", {})
    meant = {key: found["textbook"].get(key, official[key]) for key in textbook}
    assert meant == pytest.approx(textbook, abs=1e-6)
    if "ties" not in wanted.get("ambiguity", {}).get("cause", ""):
        _check_predictions(tmp_path / f"{name}_pred.jsonl", folder / "expected_pred.jsonl")


def _check_ambiguity(found, spans, bounds, policy):
    for key, least in bounds["min"].items():
        greatest = bounds["max"][key]
        assert (key in spans) == (greatest - least > 1e-9), key
        if key in spans:
            assert spans[key]["min"] == pytest.approx(least, abs=1e-6)
            assert spans[key]["max"] == pytest.approx(greatest, abs=1e-6)
            assert spans[key]["why"]
    assert set(spans) <= set(bounds["min"])
    assert {key: found["metrics"][key] for key in policy} == pytest.approx(policy, abs=1e-6)


def _check_predictions(written, wanted):
    rankings = [json.loads(line)["prediction"] for line in written.read_text("utf-8").splitlines()]
    lines = wanted.read_text("utf-8").splitlines()
    assert rankings == [json.loads(line)["prediction"] for line in lines]


@pytest.mark.parametrize("name", CASES)
def test_predictions_in_place_of_embeddings_score_the_same(name, capsys, tmp_path):
    folder = FIXTURE / "parity" / name
    wanted = expected(folder / "expected.json")
    if wanted["metrics"] is None or wanted["official_is_ambiguous"]:
        pytest.skip("the official values are not one")
    for file in ("info.jsonl", "cand_ids.json", "meta.json"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    (tmp_path / "Some_pred.jsonl").write_bytes((folder / "expected_pred.jsonl").read_bytes())
    found = told(capsys, "mmeb", "score", tmp_path)
    assert found["metrics"] == pytest.approx(wanted["metrics"], abs=1e-6)
    assert found["ties_against"] is None


@pytest.mark.parametrize("name", TASKS)
def test_the_official_layout_gives_candidates_and_gold(name, capsys):
    folder = LAYOUT / "e2e" / name
    found = told(capsys, "mmeb", "score", folder, "--data", LAYOUT, "--task", name)
    wanted = expected(folder / "expected.json")["metrics"]
    assert found["metrics"] == pytest.approx(wanted, abs=1e-6)


def _part_of(wanted, found):
    for key, value in wanted.items():
        if isinstance(value, dict):
            _part_of(value, found[key])
        elif key != "source":
            assert found[key] == (pytest.approx(value, abs=1e-6) if isinstance(value, float) else value), key


@needs_fixture
@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURE.glob("reports/v*.json")))
def test_averages_of_published_reports(name, capsys):
    found = told(capsys, "mmeb", "report", FIXTURE / "reports" / name)
    _part_of(expected(FIXTURE / "reports" / "expected_averages.json")[name], found)


def test_the_submission_is_the_official_scripts_report(capsys, tmp_path):
    case = FIXTURE / "reports" / "builder_case"
    summary = expected(case / "expected_summary.json")
    told_of = [
        part
        for key, value in summary["case"]["metadata"].items()
        if value is not None
        for part in (f"--{key.replace('_', '-')}", value)
    ]
    file = tmp_path / "submission.json"
    found = told(capsys, "mmeb", "report", case / "scores", "--submission", file, *told_of)
    made, wanted = expected(file), expected(case / "expected_report.json")
    made["metadata"]["report_generated_date"] = wanted["metadata"]["report_generated_date"]
    assert json.dumps(made) == json.dumps(wanted)
    _part_of(summary["averages"], found)
    assert found["official_printed"]["averages"] == summary["printed_average_lines"]
    assert found["official_printed"]["missing"] == summary["printed_missing"]
    assert found["submission"]["missing"] == ["CIRR", "MVBench", "VATEX", "ViDoRe_tatdqa"]
    assert found["ignored"] == {"video": ["MomentSeeker_1k8"], "visdoc": ["ViDoRe_esg_reports_v2"]}
