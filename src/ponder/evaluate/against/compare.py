"""The comparison itself: tokens, dimensions and models, over the same queries and documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean

from ponder.errors import BadArguments
from ponder.evaluate.against.counting import counted
from ponder.evaluate.against.dims import cuts
from ponder.evaluate.against.point import Axis, Costs, Point
from ponder.evaluate.against.pricing import Price, WordsOnly, price_items, price_queries
from ponder.evaluate.against.truncated import truncated
from ponder.evaluate.against.variants import JUDGED, STANDING, variants
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.metrics import METRICS
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.models.lite.ocr import FINGERPRINT as WORDS
from ponder.models.registry import load
from ponder.protocols import BlobCache, SavesTime

AXES = ("tokens", "dims", "both", "models")
"""What can be compared; "both" spends tokens on a short vector."""

_SHORT = 64
"""Dimensions of that vector: where a cut begins to cost accuracy."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compare.

    Attributes:
        models: The default, as in ``--models``.
        axes: Which of `AXES`.
        budgets: Of the axis of tokens; 0 is always run, everything else is held against it.
        metric: One of `ponder.evaluate.metrics.METRICS`.
        others: More models by name for the axis of models.

    Raises:
        BadArguments: An unknown axis or metric.
    """

    models: str = "lite"
    axes: tuple[str, ...] = AXES
    budgets: tuple[int, ...] = (0, 64, 256)
    metric: str = "hit@1"
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [axis for axis in self.axes if axis not in AXES]
        if unknown or not self.axes:
            raise BadArguments(f"unknown axes {unknown}", "--against", f"use some of {', '.join(AXES)}")
        if self.metric not in METRICS:
            raise BadArguments(
                f"unknown metric {self.metric!r}", "--metric", f"use one of {', '.join(METRICS)}"
            )


@dataclass(frozen=True, slots=True)
class _Run:
    """All queries at one budget."""

    values: tuple[float, ...]
    tokens: float
    macs: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Opened:
    """Models with the corpus that they filled, and what they cost."""

    name: str
    corpus: Corpus
    query: Price
    item: Price
    parts: float

    def costs(self, run: _Run, bytes_a_vector: int) -> Costs:
        macs = None if self.query.macs is None else self.query.macs + run.macs
        return Costs(
            tokens=run.tokens,
            macs_query=macs,
            macs_item=self.item.macs,
            seconds_query=run.seconds + self.query.seconds,
            seconds_item=self.item.seconds,
            bytes_item=self.parts * bytes_a_vector,
        )

    @property
    def bytes(self) -> int:
        return 4 * self.corpus.original.embedder.dim


class _Bench:
    """Runs and keeps what was run: the default at budget 0 stands in every axis."""

    def __init__(self, dataset: Dataset, settings: Settings, plan: Plan, cache: BlobCache, say: Say) -> None:
        self.dataset, self.settings, self.plan, self.cache, self.say = dataset, settings, plan, cache, say
        self._runs: dict[tuple[str, int], _Run] = {}

    def open(self, name: str) -> _Opened:
        self.say(f"{self.dataset.name}: documents with {name}")
        models = load(name, cache=self.cache)
        if isinstance(models, SavesTime):
            # What is kept would count as no work.
            models.compute_anew()
        corpus = build_corpus(self.dataset.items, models, self.cache, self.settings)
        # Once more without a cache, but a sample alone: a cache says nothing of what a model costs.
        fresh = load(name, cache=WordsOnly(self.cache, WORDS))
        items, queries = self.dataset.items, self.dataset.queries
        item = price_items(fresh, items, text_layer=self.settings.text_layer)
        return _Opened(
            name, corpus, price_queries(fresh, queries), item, corpus.index.parts / len(corpus.index)
        )

    def run(self, opened: _Opened, budget: int) -> _Run:
        key = (opened.name, budget)
        if key not in self._runs:
            self._runs[key] = self.run_on(opened.corpus, budget, f"{opened.name}, {budget} tokens")
        return self._runs[key]

    def run_on(self, corpus: Corpus, budget: int, what: str) -> _Run:
        self.say(f"{self.dataset.name}: {what}")
        settings = replace(self.settings, budgets=(budget,))
        with counted() as macs:
            [run] = run_budgets(self.dataset, corpus, settings)
        outcomes = run.outcomes
        return _Run(
            tuple(outcome.scores[self.plan.metric] for outcome in outcomes),
            fmean(outcome.ranking.usage.spent for outcome in outcomes),
            # Retrieval alone calls no model but the query's embedder, which is priced apart.
            macs.total / len(outcomes) if budget else 0.0,
            fmean(outcome.seconds for outcome in outcomes),
        )

    def point(
        self, axis: Axis, label: str, group: str, opened: _Opened, run: _Run, default: _Run, costs: Costs,
        dims: int | None = None,
    ) -> Point:  # fmt: skip
        return Point(
            axis=axis,
            label=label,
            dataset=self.dataset.name,
            models=opened.name,
            metric=self.plan.metric,
            values=run.values,
            default=default.values,
            costs=costs,
            group=group,
            dims=opened.corpus.original.embedder.dim if dims is None else dims,
        )


def compare(
    dataset: Dataset, plan: Plan, cache: BlobCache, settings: Settings | None = None, say: Say | None = None
) -> Iterator[Point]:
    """Measure a data set along each axis of a plan.

    Args:
        dataset: Documents and queries.
        plan: Which axes, of which models.
        cache: Where perceptions, reasonings and vectors are kept; what is there is not made again.
        settings: Cascade and the rest of an evaluation; its budgets are not used.
        say: Told in a line what is being done.

    Yields:
        A point as soon as it is measured. Each has the default's values beside its own: those of the same
        models at budget 0; for judges, those of the default judge at the same budget.
    """
    bench = _Bench(dataset, settings or Settings(), plan, cache, say or (lambda line: None))
    base = bench.open(plan.models)
    zero = bench.run(base, 0)
    if "tokens" in plan.axes:
        for budget in sorted({0, *plan.budgets}):
            run = bench.run(base, budget)
            costs = base.costs(run, base.bytes)
            yield bench.point("tokens", f"{budget} tokens", "tokens", base, run, zero, costs)
    if "dims" in plan.axes:
        whole = base.costs(zero, base.bytes)
        yield bench.point(
            "dims", f"all {base.corpus.original.embedder.dim}", "blocks", base, zero, zero, whole
        )
        for cut in cuts(base.corpus, dataset.items):
            corpus = truncated(base.corpus, dataset.items, cut.selection)
            run = bench.run_on(corpus, 0, cut.label)
            costs = base.costs(run, cut.selection.bytes)
            yield bench.point("dims", cut.label, cut.group, base, run, zero, costs, cut.selection.dim)
    if "both" in plan.axes:
        yield from _both(bench, base, zero)
    if "models" in plan.axes:
        yield from _models(bench, base)


def _both(bench: _Bench, base: _Opened, zero: _Run) -> Iterator[Point]:
    """Whether tokens make good what a short vector loses."""
    items = bench.dataset.items
    short = [cut for cut in cuts(base.corpus, items) if cut.selection.dim == _SHORT]
    for cut in short:
        if cut.group != "principal":
            continue
        corpus = truncated(base.corpus, items, cut.selection)
        for budget in sorted({*bench.plan.budgets} - {0}):
            label = f"{cut.label}, {budget} tokens"
            run = bench.run_on(corpus, budget, label)
            costs = base.costs(run, cut.selection.bytes)
            yield bench.point("dims", label, "with tokens", base, run, zero, costs, cut.selection.dim)


def _models(bench: _Bench, base: _Opened) -> Iterator[Point]:
    others = variants(bench.plan.models, bench.plan.others)
    for group in dict.fromkeys(each.group for each in others):
        budget = JUDGED if group == "judge" else 0
        default = bench.run(base, budget)
        label = STANDING.get(group, base.name) if bench.plan.models == "lite" else base.name
        costs = base.costs(default, base.bytes)
        yield bench.point("model", label, group, base, default, default, costs)
        for each in others:
            if each.group == group:
                opened = bench.open(each.models)
                run = bench.run(opened, each.budget)
                costs = opened.costs(run, opened.bytes)
                yield bench.point("model", each.label, group, opened, run, default, costs)
