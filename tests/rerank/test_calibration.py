"""Calibration files and curves of chances."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import InputInvalid, InputNotFound
from ponder.models.registry import load
from ponder.presets.lite import SHIPPED
from ponder.rerank.calibration import Calibration, Fit, read_calibration
from ponder.rerank.chances import Isotonic, Platt, curve_from

FIT = Fit(
    "ecr",
    "image",
    "judge-1",
    0.5,
    0.1,
    "hit@1",
    (0.1, 0.0, 0.2),
    90,
    12.0,
    ("a",),
    True,
    Platt(1.0, -2.0),
    "on a",
)

numbers = st.floats(-1e6, 1e6)
curves = st.builds(Platt, numbers, numbers) | st.lists(
    st.tuples(numbers, st.floats(0, 1)), min_size=1, max_size=8, unique_by=lambda knot: knot[0]
).map(lambda knots: Isotonic(tuple(sorted(s for s, _ in knots)), tuple(sorted(c for _, c in knots))))


@given(curves, st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_chances_are_probabilities_and_keep_the_order(curve, score, more):
    low, high = curve.chance(score), curve.chance(score + more)
    assert 0 <= low <= 1
    if isinstance(curve, Isotonic) or curve.slope >= 0:
        assert low <= high + 1e-12
    else:
        assert low >= high - 1e-12


@given(curves)
def test_curves_survive_their_fields(curve):
    assert curve_from(json.loads(json.dumps(curve.fields()))) == curve


@pytest.mark.parametrize(
    "change",
    [
        {"weight": -1.0},
        {"weight": "much"},
        {"swing": float("nan")},
        {"kind": "sound"},
        {"gain": [0.1]},
        {"curve": {"slope": 1.0}},
        {"curve": {"scores": [0.0, 0.0], "chances": [0.1, 0.2]}},
        {"curve": {"scores": [0.0, 1.0], "chances": [0.5, 0.2]}},
        {"curve": {"scores": [0.0], "chances": [1.5]}},
    ],
)
def test_a_damaged_fit_is_named(tmp_path, change):
    path = tmp_path / "broken.json"
    path.write_text(json.dumps({"version": 1, "fits": [FIT.fields(), {**FIT.fields(), **change}]}))
    with pytest.raises(InputInvalid, match=r"fits\[1\]"):
        read_calibration(path)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 99, "fits": []}', '{"version": 1, "fits": {}}'])
def test_what_is_no_calibration_is_refused(tmp_path, text):
    path = tmp_path / "no.json"
    path.write_text(text)
    with pytest.raises(InputInvalid, match="ponder calibrate"):
        read_calibration(path)
    with pytest.raises(InputNotFound):
        read_calibration(tmp_path / "nowhere.json")


def test_chances_are_of_scores_less_the_mean_where_they_were_fitted_so():
    known = Calibration((FIT,))
    assert known.chance("ecr", "judge-1", "image", 7.0, 5.0) == Platt(1.0, -2.0).chance(2.0)
    assert known.chance("ecr", "judge-2", "image", 7.0, 5.0) is None


def test_what_comes_with_lite_is_of_lites_own_judges():
    models, shipped = load("lite"), read_calibration(SHIPPED)
    assert shipped.embedder == models.embedder.fingerprint
    stages = {(fit.stage, fit.judge) for fit in shipped.fits}
    assert stages == {(name, judge.fingerprint) for name, judge in models.rerankers.items()}


def test_a_calibration_of_your_own_is_part_of_the_models_name(tmp_path, monkeypatch):
    Calibration((FIT,)).save(tmp_path / "mine.json")
    monkeypatch.chdir(tmp_path)
    models = load("lite,calibration=mine.json")
    assert models.name == f"lite,calibration={tmp_path / 'mine.json'}"
    assert models.calibration == Calibration((FIT,))
    assert load("lite,calibration=none").calibration is None
