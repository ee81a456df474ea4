"""Runs that have ended, in a folder: known again by all that decides their figures, without an index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from ponder.cascade import Cascade, Rerank, Think
from ponder.cascade.pacing import Allocation
from ponder.cascade.stages import Stage
from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus, contents_sha256
from ponder.evaluate.retrieval import BudgetRun, Outcome
from ponder.evaluate.run_folder import fingerprints
from ponder.evaluate.settings import Pool, ReasoningMode, Settings
from ponder.evaluate.trec import TrecFolder
from ponder.models.folder import sha256_of
from ponder.protocols import Models
from ponder.shelf.ingest import Document, MediaOpener


@dataclass(frozen=True, slots=True)
class Way:
    """One line of a picture: how documents are reasoned about, and how queries spend.

    Example:
        >>> Way("on", "adaptive").name, Way("on", "uniform", think=64).name
        ('on-adaptive', 'on-uniform-think')
        >>> Way("on", "adaptive", pool="common").name
        'on-common'
    """

    reasoning: ReasoningMode
    allocate: Allocation
    think: int = 0
    pool: Pool = "each"

    @property
    def name(self) -> str:
        """Of its folder and in pictures."""
        spending = self.allocate if self.pool == "each" else self.pool
        return f"{self.reasoning}-{spending}" + ("-think" if self.think else "")


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


class Runs:
    """The runs of a data set under one folder, ``runs/WAY``; nothing is made before a run is kept.

    Args:
        folder: Of the curve.
        dataset: What is run.
        models: As the registry gave them.
        settings: Cascade and limits; budget, reasoning and allocation are each run's own.
    """

    def __init__(self, folder: Path, dataset: Dataset, models: Models, settings: Settings) -> None:
        self._folder, self._dataset, self._models, self._settings = folder, dataset, models, settings

    def settings(self, way: Way, budget: int) -> Settings:
        """What a run runs with."""
        cascade = self._settings.cascade
        return replace(
            self._settings,
            budgets=(budget,),
            reasoning=way.reasoning,
            allocate=way.allocate,
            pool=way.pool,
            cascade=_thinking(cascade, way.think) if way.think else cascade,
        )

    @cached_property
    def contents(self) -> str:
        """A hash over the ids and contents of the documents: files are read, not decoded."""
        opener = MediaOpener(text_layer=self._settings.text_layer)
        found = []
        for item in self._dataset.items:
            try:
                found.append((item.id, Document(item, opener).digest))
            except (InputInvalid, InputNotFound):
                continue
        return contents_sha256(found)

    @property
    def about(self) -> dict[str, Any]:
        """What made the figures: ponder's version, fingerprints of models, the documents' contents."""
        return {
            "ponder": metadata.version("ponder"),
            "contents_sha256": self.contents,
            "fingerprints": fingerprints(self._models),
        }

    def find(self, way: Way, budget: int) -> Kept | None:
        """The run, if it has ended with the same settings, documents, queries and models."""
        if _kept_key(self._done(way, budget)) != self._key(way, budget):
            return None
        return _read(way, budget, self._of(way))

    def keep(self, way: Way, run: BudgetRun, corpus: Corpus, command: Sequence[str]) -> Kept:
        """Write a run down."""
        done = self._done(way, run.budget)
        done.unlink(missing_ok=True)
        trec = TrecFolder(self._of(way))
        trec.begin(self._dataset, corpus, self.settings(way, run.budget), command)
        trec.add(run)
        rows = "".join(json.dumps(_row(outcome)) + "\n" for outcome in run.outcomes)
        (self._of(way) / f"scaling-{run.budget}.jsonl").write_text(rows, encoding="utf-8")
        # Last, and at once: a run is wholly there or run again.
        half = done.with_suffix(".half")
        half.write_text(json.dumps({"key": self._key(way, run.budget)}) + "\n", encoding="utf-8")
        half.replace(done)
        return _read(way, run.budget, self._of(way))

    def _of(self, way: Way) -> Path:
        return self._folder / "runs" / way.name

    def _done(self, way: Way, budget: int) -> Path:
        return self._of(way) / f"done-{budget}.json"

    @cached_property
    def _asked(self) -> list[tuple[Any, ...]]:
        return [_asked(each) for each in self._dataset.queries]

    def _key(self, way: Way, budget: int) -> str:
        """All that decides a run's figures."""
        settings = self.settings(way, budget)
        parts = (
            self.about,
            self._dataset.split,
            self._asked,
            self._models.reason_tokens if settings.reason_tokens is None else settings.reason_tokens,
            [_stage(stage) for stage in settings.cascade.stages],
            settings.budgets,
            settings.reasoning,
            settings.allocate,
            settings.gates,
            settings.pool,
            settings.text_layer,
            settings.seed,
            {name: judge.weight for name, judge in self._models.rerankers.items()},
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def _thinking(cascade: Cascade, tokens: int) -> Cascade:
    first, *rest = cascade.stages
    return Cascade((first, Think(tokens), *rest))


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


def _read(way: Way, budget: int, folder: Path) -> Kept:
    """Figures by query as every run folder has them, with what curves need beside."""
    lines = (_rows(folder / f"{name}-{budget}.jsonl") for name in ("queries", "scaling"))
    report = json.loads((folder / f"report-{budget}.json").read_text("utf-8"))
    return Kept(way, budget, report, tuple({**one, **other} for one, other in zip(*lines, strict=True)))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _row(outcome: Outcome) -> dict[str, Any]:
    first: dict[str, int] = {}
    for hit in outcome.ranking.hits:
        if outcome.query.grades.get(hit.item.id, 0) > 0:
            for stage in hit.stages:
                first[stage.name] = min(stage.rank, first.get(stage.name, stage.rank))
    return {"_id": outcome.query.query.id, "text": outcome.query.query.text, "first": first}
