"""Calibrating on a data set where the judge knows more than the retriever, and with judges that do not."""

import json
from dataclasses import replace

import pytest
from datasets_of_texts import write_dataset

from ponder.cascade import parse_stages
from ponder.cascade.pacing import WIDTH
from ponder.evaluate.beir import load_beir
from ponder.evaluate.calibrating import Judged, calibrate, leave_one_out, tried_on
from ponder.evaluate.calibrating.blocks import Block
from ponder.evaluate.calibrating.gates import fit_gate
from ponder.evaluate.calibrating.weights import stretch_of
from ponder.evaluate.calibrating.widths import WIDTHS, fit_width
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.settings import Settings
from ponder.records import Trust
from ponder.rerank.calibration import CalibratedModels, read_calibration
from ponder.testing import FakeModels, FakeReranker, SpoiltReranker

CASCADE = parse_stages("retrieve:30,ecr:8")
QUERIES = 60


def folder_of(path, prefix, wanted):
    """Documents that say a query's first word twice are nearer to it than the one that says both words."""
    corpus, queries = {}, {}
    for n in range(QUERIES):
        first, second = f"{prefix}first{n}", f"{prefix}second{n}"
        corpus[f"{prefix}both{n}"] = f"{first} {second} " + " ".join(f"filler{i}x{n}" for i in range(6))
        corpus[f"{prefix}near{n}"] = f"{first} {first}"
        queries[f"{prefix}{n}"] = (f"{first} {second}", {f"{prefix}{wanted}{n}": 1}, {})
    path.mkdir()
    return write_dataset(path, corpus, queries)


def judged(tmp_path, cache, judge, prefix="a", wanted="both"):
    models = FakeModels(dim=4096)
    models.rerankers["ecr"] = judge
    dataset = load_beir(folder_of(tmp_path / prefix, prefix, wanted))
    return Judged.of(dataset, build_corpus(dataset.items, models, cache, Settings()), CASCADE)


def measured(each):
    return {each.dataset.name: "hit@1"}


def test_a_judge_that_helps_gets_a_weight_and_lifts_the_figure(tmp_path, cache):
    each = judged(tmp_path, cache, FakeReranker("ecr"))
    found = calibrate([each], measured(each))
    [fit] = found.fits
    assert fit.weight > 0
    assert fit.gain[1] > 0
    assert (fit.queries, fit.sets, fit.stage, fit.kind) == (QUERIES, ("a",), "ecr", "text")
    [tried] = tried_on(each, found, "hit@1", [1000])
    assert tried.value > tried.plain + 0.5
    # Who has the words is likelier to be right.
    assert fit.curve.chance(0.5) > fit.curve.chance(-0.5)


@pytest.mark.parametrize(
    ("how", "wanted"), [("noise", "near"), ("constant", "both"), ("constant", "near"), ("negated", "both")]
)
def test_a_judge_that_knows_nothing_is_not_asked_and_the_trace_says_why(tmp_path, cache, how, wanted):
    each = judged(tmp_path, cache, SpoiltReranker(FakeReranker("ecr"), how), wanted=wanted)
    found = calibrate([each], measured(each))
    assert [fit.weight for fit in found.fits] == [0.0]
    [tried] = tried_on(each, found, "hit@1", [1000])
    assert tried.value == tried.plain
    place = type("Place", (), {"index": each.corpus.index})()
    place.models = CalibratedModels(each.corpus.models, found)
    ranking = CASCADE.on(place)("afirst1 asecond1", budget=1000)
    assert ranking.usage.spent == 0
    [gate] = [event.what for event in ranking.trace if event.what.startswith("gate")]
    assert gate.startswith("gate: no text is judged, ")
    assert found.fits[0].why in gate


def test_another_judge_of_the_same_name_is_not_the_one_that_was_measured(tmp_path, cache):
    each = judged(tmp_path, cache, SpoiltReranker(FakeReranker("ecr"), "negated"))
    found = calibrate([each], measured(each))
    assert found.trust("ecr", FakeReranker("ecr").fingerprint, "text") is None


def test_a_set_left_out_is_judged_by_what_the_others_say(tmp_path, cache):
    sets = [judged(tmp_path, cache, FakeReranker("ecr"), prefix) for prefix in ("a", "b")]
    measures = {"a": "hit@1", "b": "ndcg@5"}
    found = list(leave_one_out(sets, measures, [1000]))
    assert [(each.name, each.measure, each.budget) for each in found] == [
        ("a", "hit@1", 1000),
        ("b", "ndcg@5", 1000),
    ]
    for each in found:
        assert each.harmless
        assert float(each.weights["ecr, text"]) > 0


def test_a_calibration_survives_its_file(tmp_path, cache):
    each = judged(tmp_path, cache, FakeReranker("ecr"))
    found = calibrate([each], measured(each))
    path = tmp_path / "found.json"
    found.save(path)
    assert read_calibration(path) == found
    assert read_calibration(path).fingerprint == found.fingerprint
    assert json.loads(path.read_text())["embedder"] == each.corpus.models.embedder.fingerprint


def test_judges_are_asked_once_for_the_same_candidates(tmp_path, cache):
    judge = FakeReranker("ecr")
    each = judged(tmp_path, cache, judge)
    calibrate([each], measured(each))
    calls = judge.calls
    calibrate([each], measured(each))
    assert judge.calls == calls == QUERIES


def test_a_gate_leaves_out_queries_that_gain_nothing_and_none_that_gain():
    """Queries of three words gain by judging, longer ones do not: the gate tells them apart."""

    def block(number, words, gains):
        ids, grades = ("a", "b"), {"b": 1} if gains else {"a": 1}
        said = (0.0, 1.0) if gains else (1.0, 0.0)
        about = {"words": float(words), "margin": float(number % 7)}
        return Block(f"q{number}", ids, ("text", "text"), (0.5, 0.4), said, (), grades, 20, about)

    blocks = [block(n, 3, True) for n in range(40)] + [block(n, 9, False) for n in range(40, 80)]
    gate = fit_gate({"set": blocks}, "text", {"text": 1.0}, {"set": "hit@1"})
    assert (gate.signal, gate.above) == ("words", True)
    assert not any(gate.shut(each.signals) for each in blocks[:40])
    assert all(gate.shut(each.signals) for each in blocks[40:])
    assert "saves 50%" in gate.why


def test_no_gate_where_all_queries_gain():
    about = {"words": 3.0, "margin": 1.0, "entropy": 0.5, "agreement": 1.0}
    blocks = [
        Block(f"q{n}", ("a", "b"), ("text", "text"), (0.5, 0.4), (0.0, 1.0), (), {"b": 1}, 20, about)
        for n in range(40)
    ]
    assert fit_gate({"set": blocks}, "text", {"text": 1.0}, {"set": "hit@1"}) is None


@pytest.mark.parametrize(
    ("farthest", "low", "high"), [(1.95, 1.75, 2.0), (0.88, 0.8, 0.9), (0.68, 0.6, 0.7), (0.4, 0.5, 0.5)]
)
def test_a_width_is_as_small_as_loses_nothing(farthest, low, high):
    """The right one lies up to so many swings behind; a race that is narrower never asks about it."""

    def block(number, behind):
        earlier = (1.0, 0.99, 0.98, 0.97, 1.0 - behind)
        said = (-1.0, -1.0, -1.0, -1.0, 4.0)
        ids = tuple("abcde")
        return Block(f"q{number}", ids, ("text",) * 5, earlier, said, (), {"e": 1}, 20, {})

    blocks = {"set": [block(n, 0.1 * farthest * n / 39) for n in range(1, 40)]}
    measures = {"set": "hit@1"}
    found = fit_width(blocks, "text", Trust(1.0, 0.1, ""), measures)
    assert low <= found <= high
    assert fit_width(blocks, "text", Trust(1.0, 1e-6, ""), measures) == WIDTHS[-1]
    assert fit_width(blocks, "text", Trust(0.0, 0.1, ""), measures) == WIDTH


def spread_block(number, swing, said, kinds=("text", "text"), earlier=(0.5, 0.4)):
    return Block(f"q{number}", ("a", "b"), kinds, earlier, said, (), {"a": 1}, 20, {}, swings=(swing, swing))


def test_a_stretch_is_how_much_further_scores_lie_apart_than_the_judge_says():
    blocks = [spread_block(n, size, (3 * size, -3 * size)) for n, size in enumerate((0.1, 1.0, 20.0))]
    assert stretch_of(blocks, "text") == pytest.approx(3 * 2**0.5)
    assert stretch_of([replace(block, swings=(None, None)) for block in blocks], "text") is None
    assert stretch_of([replace(block, swings=()) for block in blocks], "text") is None
    # Of a query of which the judge says nothing nothing is learnt.
    silent = spread_block(9, 0.0, (None, None))
    assert stretch_of([*blocks, silent], "text") == stretch_of(blocks, "text")


def test_a_width_counts_in_what_the_judge_says_of_each_query():
    """The right one lies two of its query's swings behind, in queries whose swings differ tenfold."""

    def block(number, size):
        earlier = (1.0, *(1.0 - size / 100 * n for n in (1, 2, 3)), 1.0 - 2 * size)
        said, ids = (*(-size,) * 4, 4 * size), tuple("abcde")
        swings = (size,) * 5
        return Block(f"q{number}", ids, ("text",) * 5, earlier, said, (), {"e": 1}, 20, {}, swings)

    blocks = {"set": [block(0, 0.1), block(1, 0.01)]}
    measures = {"set": "hit@1"}
    told, pooled = (fit_width(blocks, "text", Trust(1.0, 0.01, "", stretch=s), measures) for s in (1.0, None))
    assert told == 2.5
    assert pooled == WIDTHS[-1]


def test_a_race_without_a_later_word_has_a_width_of_its_own(tmp_path, cache):
    each = judged(tmp_path, cache, FakeReranker("ecr"))
    [fit] = calibrate([each], measured(each)).fits
    assert fit.width == fit.width_last
