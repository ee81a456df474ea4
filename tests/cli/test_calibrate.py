import json

from test_scale import write_dataset


def test_a_calibration_is_written_shown_and_used(ponder, tmp_path):
    data, out = write_dataset(tmp_path / "texts"), tmp_path / "found.json"
    found = ponder.json("calibrate", data, "--out", out, "--models", "fake")
    written = json.loads(out.read_text())
    assert found == {**written, "left_out": []}
    assert written["made"]["sets"] == {"texts": {"split": "dev", "queries": 3}}
    assert {fit["stage"] for fit in written["fits"]} == {"ecr", "query-aware"}
    # Retrieval finds every first place here, so nothing is certain to help and nothing is spent.
    assert {fit["weight"] for fit in written["fits"]} == {0.0}
    named = f"fake,calibration={out}"
    [line] = ponder.lines("evaluate", data, "--models", named, "--budget", "64")
    assert line["tokens_per_query"]["max"] == 0
    [line] = ponder.lines("evaluate", data, "--models", "fake", "--budget", "64")
    assert line["tokens_per_query"]["max"] > 0


def test_each_set_is_tried_under_the_others(ponder, tmp_path):
    one, other = write_dataset(tmp_path / "one"), write_dataset(tmp_path / "other")
    out = tmp_path / "found.json"
    arguments = ("--models", "fake", "--leave-one-out", "--budget", "40", "--metric", "hit@1,ndcg@5")
    found = ponder.json("calibrate", one, other, "--out", out, *arguments)
    assert [(each["name"], each["measure"]) for each in found["left_out"]] == [
        ("one", "hit@1"),
        ("other", "ndcg@5"),
    ]
    assert all(each["harmless"] for each in found["left_out"])
    code, shown, _ = ponder("calibrate", one, other, "--out", out, *arguments)
    assert code == 0
    assert "no gain is certain" in " ".join(shown.split())


def test_what_cannot_be_calibrated(ponder, tmp_path):
    data = write_dataset(tmp_path / "texts")
    out = tmp_path / "found.json"
    for arguments, said in (
        ((data,), "where to?"),
        ((data, "--out", tmp_path / "nowhere" / "found.json"), "no such folder"),
        ((data, "--out", out, "--metric", "f1"), "unknown measure 'f1' (--metric)"),
        ((data, "--out", out, "--metric", "hit@1,ndcg@5"), "2 measures for 1 DIRs"),
        ((data, "--out", out, "--leave-one-out"), "nothing is left when one is left out"),
        ((data, data, "--out", out), "two DIRs have the same name"),
    ):
        code, _, err = ponder("calibrate", *arguments, "--models", "fake")
        assert code == 2
        assert said in err
    assert not out.exists()


def test_a_calibration_that_is_none_is_refused(ponder, tmp_path):
    data, broken = write_dataset(tmp_path / "texts"), tmp_path / "broken.json"
    broken.write_text("{}")
    code, _, err = ponder("evaluate", data, "--models", f"fake,calibration={broken}")
    assert code == 5
    assert "ponder calibrate" in err
