"""The comparison end to end, with models without weights."""

import json
from dataclasses import replace

import pytest

from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.against.compare import Plan, compare
from ponder.evaluate.against.dims import cuts
from ponder.evaluate.against.drawing import draw
from ponder.evaluate.against.point import Costs, Point, rows
from ponder.evaluate.against.selection import Selection, leading
from ponder.evaluate.against.truncated import truncated
from ponder.evaluate.against.verdict import purchases, verdict
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.models.registry import load
from ponder.testing import FakeEmbedder, FakeModels

FIELDS = [
    "axis", "group", "label", "dataset", "models", "metric", "queries", "value", "ci95", "difference",
    "tokens", "macs_query", "macs_item", "seconds_query", "seconds_item", "bytes_item", "dims",
]  # fmt: skip


class BlockEmbedder(FakeEmbedder):
    """The fake's vectors, said to be three blocks."""

    blocks = {"first": (0, 128), "second": (128, 192), "third": (192, 256)}  # noqa: RUF012


def ranked(dataset, corpus):
    [run] = run_budgets(dataset, corpus, Settings(budgets=(0,)))
    return [[hit.item.id for hit in outcome.ranking] for outcome in run.outcomes]


def test_all_dimensions_rank_as_the_original(dataset, cache):
    corpus = build_corpus(dataset.items, FakeModels(), cache, Settings())
    for selection in (leading(256), Selection(((0, 100), (100, 256)), "length")):
        assert ranked(dataset, truncated(corpus, dataset.items, selection)) == ranked(dataset, corpus)


def test_nothing_is_embedded_again(dataset, cache):
    models = FakeModels()
    corpus = build_corpus(dataset.items, models, cache, Settings())
    ranked(dataset, corpus)
    models.embedder.forbidden = models.reasoner.forbidden = True
    short = truncated(corpus, dataset.items, leading(4))
    assert len(ranked(dataset, short)) == len(dataset.queries)
    assert short.models.embedder.fingerprint != corpus.models.embedder.fingerprint
    assert (len(short.index), short.index.dim, short.index.parts) == (
        len(corpus.index),
        4,
        corpus.index.parts,
    )
    # Judges see what they saw.
    assert short.index.get(["a"]) == corpus.index.get(["a"])


def test_cuts_of_blocks_and_of_any_embedder(dataset, cache):
    models = FakeModels()
    plain = list(cuts(build_corpus(dataset.items, models, cache, Settings()), dataset.items))
    assert [c.label for c in plain if c.group == "leading"] == ["32", "64", "128", "192", "256"]
    assert {c.group for c in plain} == {"leading", "random", "principal", "int8"}
    models.embedder = BlockEmbedder()
    blocks = list(cuts(build_corpus(dataset.items, models, cache, Settings()), dataset.items))
    sizes = {c.label: c.selection.dim for c in blocks if c.group.startswith("blocks")}
    assert sizes == {"second": 64, "third": 64, "first+second": 192}
    assert [c.selection.dim for c in blocks if c.group == "leading"] == [32, 64, 128]
    assert all(c.selection.way == "length" for c in blocks)
    assert len({c.label for c in blocks}) == len(blocks)


def test_points_of_every_axis(dataset, cache):
    said = []
    plan = Plan(models="fake", budgets=(64,), others=("fake",), metric="ndcg@5")
    points = list(compare(dataset, plan, cache, say=said.append))
    assert [p.label for p in points if p.axis == "tokens"] == ["0 tokens", "64 tokens"]
    assert {p.axis for p in points} == {"tokens", "dims", "model"} and said
    assert [p.label for p in points if p.group == "with tokens"] == ["64 principal, 64 tokens"]
    zero = points[0]
    for point, row in zip(points, rows(points), strict=True):
        assert list(row) == FIELDS
        assert json.loads(json.dumps(row, allow_nan=False)) == row
        assert row["queries"] == 4 and row["ci95"][0] <= row["value"] <= row["ci95"][1]
        assert row["difference"]["mean"] == pytest.approx(row["value"] - zero.value, abs=1e-6)
        # No torch module ran: nothing is known, which is not the same as nothing.
        assert row["macs_query"] is None and row["macs_item"] is None
        assert (point.costs.tokens > 0) == row["label"].endswith("64 tokens")
    sizes = {p.label: p.costs.bytes_item for p in points if p.axis == "dims"}
    assert sizes["all 256"] == sizes["256"] == 8 * sizes["32"]


def test_a_plan_names_axes_and_metrics_that_exist():
    with pytest.raises(BadArguments, match="unknown axes"):
        Plan(axes=("size",))
    with pytest.raises(BadArguments, match="unknown metric"):
        Plan(metric="hit@3")


COSTS = Costs(0.0, 1e8, 4e9, 0.02, 0.3, 4000.0)


def point(axis, label, values, group="", **costs):
    return Point(
        axis, label, "set", "lite", "hit@1", tuple(values), (0.0, 1.0) * 20, replace(COSTS, **costs), group, 8
    )


POINTS = rows(
    [
        point("tokens", "0 tokens", (0.0, 1.0) * 20, "tokens"),
        point("tokens", "64 tokens", (1.0, 1.0) * 20, "tokens", tokens=60.0, macs_query=5.1e9),
        point("dims", "all 8", (0.0, 1.0) * 20, "blocks"),
        point("dims", "meaning 4", (0.0, 0.0) * 20, "leading", bytes_item=2000.0),
        point("dims", "all, int8", (0.0, 1.0) * 20, "int8", bytes_item=1000.0),
        point("model", "Lite0", (0.0, 1.0) * 20, "vision"),
        point("model", "Lite2", (0.0, 1.0, 1.0, 1.0) * 10, "vision", macs_item=6e9),
    ]
)


def test_prices_and_gains():
    bought = {each.label: each for each in purchases(POINTS)}
    assert set(bought) == {
        "64 tokens", "all 8 instead of meaning 4", "all 8 instead of all, int8", "Lite2 instead of Lite0"
    }  # fmt: skip
    tokens = bought["64 tokens"]
    assert (tokens.gain, tokens.unit) == (0.5, "GMAC a query") and tokens.low > 0
    assert (tokens.price, tokens.rate) == (pytest.approx(5.0), pytest.approx(0.1))
    assert bought["all 8 instead of meaning 4"].gain == 0.5
    assert bought["all 8 instead of meaning 4"].price == pytest.approx(2.0)
    assert bought["Lite2 instead of Lite0"].price == pytest.approx(2.0)


def test_the_verdict_says_what_pays():
    text = verdict(POINTS)
    assert "**Tokens** pay. 64 tokens: +0.500" in text
    assert "**Dimensions** pay up to all, int8 (1000 bytes an item, 25% of the whole)" in text
    assert "tokens are the better buy" in text
    # An item's 2 GMAC against a query's 5.
    assert "more than 0.4 queries" in text
    lost = [row for row in POINTS if row["label"] != "64 tokens"]
    assert "Tokens" not in verdict([row for row in lost if row["axis"] != "tokens"]).split("\n", 2)[2]


def test_tokens_whose_gain_is_not_shown_are_no_better_buy():
    same = rows([point("tokens", "64 tokens", (0.0, 1.0) * 20, "tokens", tokens=60.0, macs_query=5.1e9)])
    text = verdict([POINTS[0], *same])
    assert "have not been shown to pay" in text and "no buy to rely on here" in text


def test_the_picture_is_made_twice_alike(tmp_path):
    svg, png = draw(POINTS, tmp_path / "a")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text() == draw(POINTS, tmp_path / "b")[0].read_text()
    other = [{**row, "value": row["value"] / 2} for row in POINTS]
    assert svg.read_text() != draw(other, tmp_path / "c")[0].read_text()


def test_tokens_on_a_short_vector_are_told_apart():
    label = "meaning 4, 64 tokens"
    short = point("dims", label, (1.0, 1.0) * 20, "with tokens", tokens=60.0, bytes_item=20.0)
    text = verdict([*POINTS, *rows([short])])
    assert "**Tokens can stand in for dimensions**. meaning 4, 64 tokens against" in text
    assert "(-0.500 without tokens) with 20 bytes an item and 60 tokens" in text
    assert len(purchases([*POINTS, *rows([short])])) == len(purchases(POINTS))


def test_no_points_and_mixed_metrics_are_refused(tmp_path):
    for wrong in ([], [*POINTS, {**POINTS[0], "metric": "mrr@10"}]):
        with pytest.raises(InputInvalid):
            draw(wrong, tmp_path)


def test_lite_in_other_sizes_has_other_fingerprints():
    names = [
        "lite", "lite,vision=efficientnet-lite1", "lite,vision=efficientnet-lite2", "lite,text_layers=3",
        "lite,judge_layers=10",
    ]  # fmt: skip
    made = [load(name) for name in names]
    assert [models.name for models in made] == names
    prints = [(m.reasoner.fingerprint, m.embedder.fingerprint, m.rerankers["ecr"].fingerprint) for m in made]
    assert len(set(prints)) == len(names)
    # A smaller judge leaves the vectors' models alone, another eye the judges.
    assert prints[4][1] == prints[0][1] and prints[1][2] == prints[0][2]
    assert load("lite,vision=efficientnet-lite0").embedder.fingerprint == prints[0][1]


@pytest.mark.parametrize(
    "name", ["lite,size=2", "lite,vision", "lite,judge_layers=two", "lite,vision=lite9", "lite,text_layers=0"]
)
def test_sizes_that_lite_has_not(name):
    with pytest.raises(BadArguments):
        load(name)
