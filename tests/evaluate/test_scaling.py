"""Scaling curves: runs are kept and taken up again, figures are those of the runs, moves are told."""

import json
from dataclasses import replace

import pytest

from ponder.cascade import default_cascade
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.metrics import METRICS
from ponder.evaluate.scaling import Ladder, Way
from ponder.evaluate.scaling.curve import curve_of
from ponder.evaluate.scaling.drawing import draw
from ponder.evaluate.scaling.ladder import Kept
from ponder.evaluate.scaling.pricing import price_of, sample
from ponder.evaluate.scaling.report import markdown
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache
from ponder.testing import FakeModels

WAYS = [Way("on", "uniform"), Way("on", "adaptive"), Way("off", "uniform"), Way("on", "uniform", 20)]
SETTINGS = Settings(budgets=(0, 30, 300), cascade=default_cascade())


@pytest.fixture
def ladder(tmp_path, dataset, cache):
    def make(folder, settings=SETTINGS):
        def build(mode):
            return build_corpus(dataset.items, FakeModels(), cache, settings)

        return Ladder(tmp_path / folder, dataset, build, settings, ["ponder", "scale"])

    return make


def figures(kept):
    timeless = [{**run.report, "seconds_per_query": 0} for run in kept]
    return timeless, [run.queries for run in kept]


def test_stopped_and_taken_up_again_equals_an_unbroken_run(ladder, tmp_path):
    whole = list(ladder("whole").climb(WAYS))
    steps = ladder("broken").climb(WAYS)
    for _ in range(5):
        next(steps)
    steps.close()
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken").rglob("*.trec")}
    assert len(times) == 5
    again = list(ladder("broken").climb(WAYS))
    assert figures(again) == figures(whole)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_other_settings_are_run_anew(ladder, tmp_path):
    list(ladder("same").climb(WAYS[:1]))
    [path] = (tmp_path / "same").rglob("run-300.trec")
    before = path.stat().st_mtime_ns
    other = Settings(budgets=(0, 30, 300), cascade=default_cascade(), seed=7)
    list(ladder("same", other).climb(WAYS[:1]))
    assert path.stat().st_mtime_ns > before


def test_other_weights_and_other_exclusions_are_run_anew(tmp_path, dataset):
    heavy = FakeModels()
    heavy.rerankers["ecr"].weight = 3.0
    excluding = replace(
        dataset, queries=tuple(replace(each, exclude=frozenset({"a"})) for each in dataset.queries)
    )
    times = []
    with Cache(tmp_path / "cache.sqlite") as cache:
        for asked, models in (
            (dataset, FakeModels()),
            (dataset, heavy),
            (excluding, heavy),
            (excluding, heavy),
        ):

            def build(mode, models=models):
                return build_corpus(dataset.items, models, cache, SETTINGS)

            list(Ladder(tmp_path / "out", asked, build, SETTINGS, []).climb(WAYS[:1]))
            [path] = (tmp_path / "out").rglob("run-300.trec")
            times.append(path.stat().st_mtime_ns)
    assert times[0] < times[1] < times[2] == times[3]


@pytest.mark.parametrize("text", ["", '{"key": ', "[]", "{}", "null"])
def test_what_cannot_be_read_of_a_run_counts_as_not_run(ladder, tmp_path, text):
    whole = list(ladder("out").climb(WAYS[:1]))
    (tmp_path / "out" / "runs" / "on-uniform" / "done-30.json").write_text(text)
    assert figures(list(ladder("out").climb(WAYS[:1]))) == figures(whole)


def test_differences_are_to_budget_0_or_to_none():
    runs = [made(64, [1, 1], spent=60), made(0, [1, 0], spent=0)]
    points = curve_of(runs, "hit@1").series[0].points
    assert [point.budget for point in points] == [0, 64]
    assert points[1].against_zero.mean == 0.5
    [_, without] = curve_of([made(30, [1, 0], spent=9), runs[0]], "hit@1").series[0].points
    assert without.against_zero is None
    assert without.against_before.mean == 0.5
    assert without.gained == without.lost == ()


def test_a_move_is_laid_to_the_stage_that_put_it_on_top():
    zero, after = made(0, [0], spent=0), made(64, [1], spent=9)
    after.queries[0]["first"] = {"retrieve": 5, "ecr": 3, "query-aware": 1}
    [move] = curve_of([zero, after], "hit@1").series[0].points[1].gained
    assert move.stage == "query-aware"


def test_points_are_means_of_the_queries_and_budgets_hold(ladder):
    kept = list(ladder("out").climb(WAYS))
    curve = curve_of(kept, "ndcg@10")
    assert [series.way for series in curve.series] == WAYS
    for series in curve.series:
        runs = [run for run in kept if run.way == series.way]
        for point, run in zip(series.points, runs, strict=True):
            values = [row["metrics"]["ndcg@10"] for row in run.queries]
            assert point.value == pytest.approx(sum(values) / len(values))
            assert point.ci95[0] <= point.value <= point.ci95[1]
            assert point.tokens["max"] <= point.budget
            assert point.spent <= point.budget
    by_name = {series.way.name: series.points for series in curve.series}
    assert all(a.spent <= u.spent for a, u in zip(by_name["on-adaptive"], by_name["on-uniform"], strict=True))


def made(budget, hits, *, spent, allocate="uniform"):
    rows = tuple(
        {
            "_id": f"q{number}",
            "text": f"query {number}",
            "metrics": dict.fromkeys(METRICS, float(hit)),
            "first": {"retrieve": 2, "ecr": 1} if hit else {"retrieve": 1, "ecr": 4},
        }
        for number, hit in enumerate(hits)
    )
    tokens = {"read": spent, "written": 0.0, "cached": 5.0, "max": spent}
    about = {"dataset": "made", "split": "dev", "models": "fake", "queries": len(hits)}
    report = {**about, "tokens_per_query": tokens, "seconds_per_query": 0.1}
    return Kept(Way("on", allocate), budget, report, rows)


def test_harm_moves_and_tokens_to_best():
    runs = [
        made(0, [1, 0, 0, 0], spent=0),
        made(64, [1, 1, 1, 0], spent=60),
        made(256, [0, 1, 0, 0], spent=200),
        made(0, [1, 0, 0, 0], spent=0, allocate="adaptive"),
        made(64, [1, 1, 1, 0], spent=20, allocate="adaptive"),
    ]
    curve = curve_of(runs, "hit@1")
    uniform = curve.series[0].points
    assert [point.no_harm for point in uniform] == [True, True, False]
    assert [move.id for move in uniform[1].gained] == ["q1", "q2"]
    assert [(move.id, move.stage) for move in uniform[2].lost] == [("q0", "ecr")]
    assert uniform[2].against_zero.mean == 0.0
    assert uniform[1].against_before.mean == 0.5
    assert curve.tokens_to_best == {"best": 0.75, "uniform": 60, "adaptive": 20, "ratio": 3.0}
    text = markdown(curve, ["ponder", "scale"], pictured=False)
    assert "with 20 tokens a query for 60: 33%" in text
    assert "**no**" in text
    assert "query 0 (q0; ecr: 1 → 0)" in text


def test_what_adaptive_never_reaches_is_said():
    runs = [made(64, [1, 1], spent=60), made(64, [1, 0], spent=6, allocate="adaptive")]
    curve = curve_of(runs, "hit@1")
    assert curve.tokens_to_best["ratio"] is None
    assert "is not reached by adaptive" in markdown(curve, [], pictured=False)


def test_pictures_name_their_lines(ladder, tmp_path):
    curve = curve_of(ladder("out").climb(WAYS), "hit@1")
    svg, png = draw(curve, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text("utf-8")
    for label in ("reasoning, uniform", "reasoning, adaptive", "no reasoning", "texts dev: hit@1"):
        assert label in text
    json.dumps(curve.fields(), allow_nan=False)


def test_the_price_is_a_bound(ladder, dataset):
    price = price_of(dataset, WAYS, SETTINGS, FakeModels())
    assert price.tokens == len(WAYS) * len(dataset.queries) * 330
    assert price.runs == 12
    kept = list(ladder("out").climb(WAYS))
    spent = sum(row["tokens"]["read"] + row["tokens"]["written"] for run in kept for row in run.queries)
    assert 0 < spent <= price.tokens


def test_a_sample_is_the_same_for_its_seed(dataset):
    chosen = [[each.query.id for each in sample(dataset, 2, seed).queries] for seed in (1, 1, 2, 3, 4)]
    assert chosen[0] == chosen[1]
    assert len({tuple(each) for each in chosen}) > 1
    assert all(len(each) == 2 for each in chosen)
    assert sample(dataset, None, 1) is dataset
