"""Scaling curves: runs are kept and taken up again, figures are those of the runs, moves are told."""

import json
from dataclasses import replace

import pytest

from ponder.cascade import default_cascade
from ponder.errors import BackendFailed
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.metrics import METRICS
from ponder.evaluate.scaling import Ladder, Way
from ponder.evaluate.scaling.curve import curve_of
from ponder.evaluate.scaling.drawing import draw
from ponder.evaluate.scaling.kept import Kept, Runs
from ponder.evaluate.scaling.pricing import sample
from ponder.evaluate.scaling.report import markdown
from ponder.evaluate.settings import Settings
from ponder.testing import FakeModels, FakeReranker

WAYS = [Way("on", "uniform"), Way("on", "adaptive"), Way("off", "uniform"), Way("on", "uniform", 20)]
SETTINGS = Settings(budgets=(0, 30, 300), cascade=default_cascade())


@pytest.fixture
def ladder(tmp_path, dataset, cache):
    def make(folder, settings=SETTINGS, models=None, asked=dataset, built=None):
        chosen = models or FakeModels()

        def build(mode):
            if built is not None:
                built.append(mode)
            return build_corpus(asked.items, chosen, cache, replace(settings, reasoning=mode))

        runs = Runs(tmp_path / folder, asked, chosen, settings)
        return Ladder(runs, asked, build, settings, ["ponder", "scale"])

    return make


def figures(kept):
    timeless = [{**run.report, "seconds_per_query": 0} for run in kept]
    return timeless, [[{**row, "seconds": 0} for row in run.queries] for run in kept]


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


def test_other_weights_and_other_exclusions_are_run_anew(ladder, tmp_path, dataset):
    heavy = FakeModels()
    heavy.rerankers["ecr"].weight = 3.0
    excluding = replace(
        dataset, queries=tuple(replace(each, exclude=frozenset({"a"})) for each in dataset.queries)
    )
    times = []
    for asked, models in ((dataset, FakeModels()), (dataset, heavy), (excluding, heavy), (excluding, heavy)):
        list(ladder("out", models=models, asked=asked).climb(WAYS[:1]))
        [path] = (tmp_path / "out").rglob("run-300.trec")
        times.append(path.stat().st_mtime_ns)
    assert times[0] < times[1] < times[2] == times[3]


@pytest.mark.parametrize("text", ["", '{"key": ', "[]", "{}", "null"])
def test_what_cannot_be_read_of_a_run_counts_as_not_run(ladder, tmp_path, text):
    whole = list(ladder("out").climb(WAYS[:1]))
    (tmp_path / "out" / "runs" / "on-uniform" / "done-30.json").write_text(text)
    assert figures(list(ladder("out").climb(WAYS[:1]))) == figures(whole)


def test_nothing_is_indexed_for_runs_that_are_kept(ladder, tmp_path):
    first, again = [], []
    whole = list(ladder("out", built=first).climb(WAYS))
    assert figures(list(ladder("out", built=again).climb(WAYS))) == figures(whole)
    assert first
    assert again == []
    (tmp_path / "out" / "runs" / "off-uniform" / "done-30.json").unlink()
    list(ladder("out", built=again).climb(WAYS))
    assert again == ["off"]


def test_other_contents_are_run_anew(ladder, tmp_path, dataset):
    first, again = [], []
    list(ladder("out", built=first).climb(WAYS[:1]))
    changed = replace(dataset, items=(replace(dataset.items[0], text="something else"), *dataset.items[1:]))
    list(ladder("out", asked=changed, built=again).climb(WAYS[:1]))
    assert first == again == ["on"]


def test_figures_by_query_stand_once_in_a_run(ladder, tmp_path):
    [_, _, kept] = ladder("out").climb(WAYS[:1])
    folder = tmp_path / "out" / "runs" / "on-uniform"
    rows = [json.loads(line) for line in (folder / "scaling-300.jsonl").read_text().splitlines()]
    assert all(row.keys() == {"_id", "text", "first"} for row in rows)
    assert all({"metrics", "tokens", "text", "first"} <= row.keys() for row in kept.queries)


class RefusesRounds(FakeReranker):
    """Is asked about all at once or not at all."""

    def swing(self, query, candidate):
        raise RuntimeError("no rounds with me")


def test_a_way_that_a_judge_refuses_does_not_end_the_others(ladder):
    models = FakeModels()
    models.rerankers["ecr"] = RefusesRounds("ecr")
    steps = ladder("out", models=models)
    kept = list(steps.climb(WAYS))
    refused = [(each.way.name, each.budget) for each in steps.refused]
    assert refused == [("on-adaptive", 30), ("on-adaptive", 300)]
    assert len(kept) == 4 * 3 - 2
    curve = curve_of(kept, "hit@1", steps.refused)
    assert [each["budget"] for each in curve.fields()["refused"]] == [30, 300]
    assert "**Not run**: on-adaptive @ 30: " in markdown(curve, [], pictured=False)
    assert "no rounds with me" in markdown(curve, [], pictured=False)


def test_when_all_are_refused_that_is_an_error(ladder):
    models = FakeModels()
    models.rerankers["ecr"] = RefusesRounds("ecr")
    with pytest.raises(BackendFailed, match="no rounds with me"):
        list(ladder("out", replace(SETTINGS, budgets=(30, 300)), models).climb(WAYS[1:2]))


def test_a_common_budget_is_a_way_of_its_own(ladder, dataset):
    ways = [Way("on", "adaptive"), Way("on", "adaptive", pool="common")]
    kept = list(ladder("out").climb(ways))
    curve = curve_of(kept, "hit@1")
    assert [series.way.name for series in curve.series] == ["on-adaptive", "on-common"]
    assert all(point.spent <= point.budget for point in curve.series[1].points)
    assert [run.report.get("pool") for run in kept] == [None] * 3 + ["common"] * 3


def test_a_curve_says_what_made_it(ladder, dataset, tmp_path):
    runs = Runs(tmp_path / "out", dataset, FakeModels(), SETTINGS)
    kept = list(ladder("out").climb(WAYS[:1]))
    fields = curve_of(kept, "hit@1", about=runs.about).fields()
    manifest = json.loads((tmp_path / "out" / "runs" / "on-uniform" / "manifest.json").read_text())
    assert fields["contents_sha256"] == manifest["dataset"]["contents_sha256"]
    assert fields["fingerprints"] == manifest["models"]["fingerprints"]
    assert fields["ponder"] == manifest["ponder"]


def test_what_thinking_gained_is_told_at_equal_budgets():
    thinking = [
        replace(run, way=replace(run.way, think=20))
        for run in (
            made(0, [1, 0, 0, 0], spent=0),
            made(64, [1, 1, 0, 1], spent=60),
            made(256, [1, 1, 1, 1], spent=90),
        )
    ]
    plain = [made(0, [1, 0, 0, 0], spent=0), made(64, [1, 0, 0, 0], spent=50)]
    curve = curve_of([*plain, *thinking], "hit@1")
    [gained] = curve.thinking
    assert (gained.way.name, gained.budget, gained.gain.mean) == ("on-uniform-think", 64, 0.5)
    assert gained.gain.low <= 0.5 <= gained.gain.high
    text = markdown(curve, [], pictured=False)
    assert "Thinking about the query, on-uniform-think @ 64: +0.500 [" in text


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


def test_a_sample_is_the_same_for_its_seed(dataset):
    chosen = [[each.query.id for each in sample(dataset, 2, seed).queries] for seed in (1, 1, 2, 3, 4)]
    assert chosen[0] == chosen[1]
    assert len({tuple(each) for each in chosen}) > 1
    assert all(len(each) == 2 for each in chosen)
    assert sample(dataset, None, 1) is dataset
