"""Climbing the ladder of budgets: one run a way and budget, kept as it ends, so that a kill loses one run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ponder.cascade import Cascade, Rerank, Think
from ponder.cascade.pacing import Allocation
from ponder.cascade.stages import Stage
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.report import tokens_of
from ponder.evaluate.retrieval import BudgetRun, Outcome, run_budgets
from ponder.evaluate.run_folder import fingerprints
from ponder.evaluate.settings import ReasoningMode, Settings
from ponder.evaluate.trec import TrecFolder
from ponder.models.folder import sha256_of

Build = Callable[[ReasoningMode], Corpus]
Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Way:
    """One line of a picture: how documents are reasoned about, and how queries spend.

    Example:
        >>> Way("on", "adaptive").name, Way("on", "uniform", think=64).name
        ('on-adaptive', 'on-uniform-think')
    """

    reasoning: ReasoningMode
    allocate: Allocation
    think: int = 0

    @property
    def name(self) -> str:
        """Of its folder and in pictures."""
        return f"{self.reasoning}-{self.allocate}" + ("-think" if self.think else "")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run left in its folder.

    Attributes:
        way: How it ran.
        budget: Tokens a query might cost.
        report: The line of ``ponder evaluate``.
        queries: A row a query: ``_id``, ``text``, ``metrics``, ``tokens``, and ``first``, the rank of the
            first relevant document after each stage.
    """

    way: Way
    budget: int
    report: dict[str, Any]
    queries: tuple[dict[str, Any], ...]


class Ladder:
    """The runs of a scaling curve, in a folder.

    Args:
        folder: Of the curve; runs go into ``runs/WAY``.
        dataset: What is run.
        build: From a reasoning mode to an indexed corpus; called once a mode, and only if a run needs it.
        settings: Cascade, budgets and limits; reasoning and allocation are each way's own.
        command: The command line, for manifests.
    """

    def __init__(
        self, folder: Path, dataset: Dataset, build: Build, settings: Settings, command: Sequence[str]
    ) -> None:
        self._folder, self._dataset, self._settings, self._command = folder, dataset, settings, list(command)
        self._build = build
        self._corpora: dict[ReasoningMode, Corpus] = {}

    def climb(self, ways: Sequence[Way], advance: Advance | None = None) -> Iterator[Kept]:
        """Each way at each budget, in order; what has ended with the same settings is not run again.

        Args:
            ways: What to compare.
            advance: Called with (queries done, queries in all) of this climb.
        """
        steps = [(way, budget) for way in ways for budget in self._settings.budgets]
        each = len(self._dataset.queries)
        for number, (way, budget) in enumerate(steps):

            def inner(done: int, _total: int, before: int = number * each) -> None:
                if advance:
                    advance(before + done, len(steps) * each)

            yield self._step(way, budget, inner)

    def _step(self, way: Way, budget: int, advance: Advance) -> Kept:
        corpus = self._corpus(way.reasoning)
        settings = replace(
            self._settings,
            budgets=(budget,),
            reasoning=way.reasoning,
            allocate=way.allocate,
            cascade=_thinking(self._settings.cascade, way.think),
        )
        folder = self._folder / "runs" / way.name
        key = _key(self._dataset, corpus, settings)
        done = folder / f"done-{budget}.json"
        if _kept_key(done) == key:
            advance(len(self._dataset.queries), 0)
            return _read(way, budget, folder)
        done.unlink(missing_ok=True)
        [run] = run_budgets(self._dataset, corpus, settings, advance)
        _keep(folder, run, self._dataset, corpus, settings, self._command)
        # Last, and at once: a run is wholly there or run again.
        half = done.with_suffix(".half")
        half.write_text(json.dumps({"key": key}) + "\n", encoding="utf-8")
        half.replace(done)
        return _read(way, budget, folder)

    def _corpus(self, reasoning: ReasoningMode) -> Corpus:
        if reasoning not in self._corpora:
            # One at a time: a corpus of vectors is large.
            self._corpora = {reasoning: self._build(reasoning)}
        return self._corpora[reasoning]


def _thinking(cascade: Cascade, tokens: int) -> Cascade:
    first, *rest = cascade.stages
    return Cascade((first, Think(tokens), *rest)) if tokens else cascade


def _key(dataset: Dataset, corpus: Corpus, settings: Settings) -> str:
    """All that decides a run's figures."""
    parts = (
        metadata.version("ponder"),
        dataset.split,
        [_asked(each) for each in dataset.queries],
        corpus.contents_sha256,
        corpus.reason_tokens,
        [_stage(stage) for stage in settings.cascade.stages],
        settings.budgets,
        settings.reasoning,
        settings.allocate,
        settings.gates,
        settings.text_layer,
        settings.seed,
        fingerprints(corpus),
        {name: judge.weight for name, judge in corpus.models.rerankers.items()},
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _asked(judged: JudgedQuery) -> tuple[Any, ...]:
    """A query by what it holds: its media by their bytes, wherever they lie."""
    query = judged.query
    page, number = query.page or (None, 0)
    media = [sha256_of(Path(path)) if path else "" for path in (query.image, query.video, page)]
    said = (query.id, query.text, query.instruction, number, *media)
    return (*said, sorted(judged.grades.items()), sorted(judged.exclude))


def _stage(stage: Stage) -> tuple[Any, ...]:
    """A stage with what its name does not tell."""
    if not isinstance(stage, Rerank):
        return (str(stage),)
    own = stage.reranker
    judge = None if own is None else (own.fingerprint, own.weight)
    return str(stage), stage.weight, stage.share, stage.normalise, judge


def _kept_key(done: Path) -> str:
    """The key of a run that has ended; "" where none has, or what was written of it cannot be read."""
    try:
        return str(json.loads(done.read_text("utf-8"))["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _keep(
    folder: Path,
    run: BudgetRun,
    dataset: Dataset,
    corpus: Corpus,
    settings: Settings,
    command: Sequence[str],
) -> None:
    trec = TrecFolder(folder)
    trec.begin(dataset, corpus, settings, command)
    trec.add(run)
    rows = "".join(json.dumps(_row(outcome)) + "\n" for outcome in run.outcomes)
    (folder / f"scaling-{run.budget}.jsonl").write_text(rows, encoding="utf-8")


def _read(way: Way, budget: int, folder: Path) -> Kept:
    lines = (folder / f"scaling-{budget}.jsonl").read_text("utf-8").splitlines()
    report = json.loads((folder / f"report-{budget}.json").read_text("utf-8"))
    return Kept(way, budget, report, tuple(json.loads(line) for line in lines))


def _row(outcome: Outcome) -> dict[str, Any]:
    first: dict[str, int] = {}
    for hit in outcome.ranking.hits:
        if outcome.query.grades.get(hit.item.id, 0) > 0:
            for stage in hit.stages:
                first[stage.name] = min(stage.rank, first.get(stage.name, stage.rank))
    return {
        "_id": outcome.query.query.id,
        "text": outcome.query.query.text,
        "metrics": outcome.scores,
        "tokens": tokens_of(outcome.ranking.usage),
        "first": first,
    }
