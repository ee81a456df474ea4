"""Running a task of MMEB-V2 through a cascade, at one budget after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ponder.cascade import Cascade, Rerank, Retrieve
from ponder.errors import InputInvalid, InputNotFound, ModelInvalid
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.mmeb.answers import Answer, AnswerFile
from ponder.evaluate.mmeb.asking import Asking, Question, asking
from ponder.evaluate.mmeb.official import DEEPEST
from ponder.evaluate.mmeb.parsed import Parsed
from ponder.evaluate.mmeb.shard import WHOLE, Shard
from ponder.evaluate.report import tokens_of
from ponder.evaluate.run_folder import fingerprints
from ponder.evaluate.settings import Settings
from ponder.index.codecs import dumps
from ponder.protocols import BlobCache, Models
from ponder.records import Ranking
from ponder.shelf.ingest import reads_instructions
from ponder.shelf.making import Spreads

DEPTH = 1000
"""Names kept of a ranking over a shared pool; a pool of a query's own is kept whole."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class TaskRun:
    """One task at all budgets of the settings.

    Attributes:
        name: The task's.
        modality: image, video or visdoc: the folder of its files.
        local: Whether each query is ranked over its own candidates.
        parsed: As the official loaders form it.
        root: What media paths are relative to.
        out: Folder of the run.
        settings: Budgets, stages and the rest.
        revision: Of the data, where it is known.
        limit: Queries to draw; None takes all.
        shard: Which of them this process asks.
    """

    name: str
    modality: str
    local: bool
    parsed: Parsed
    root: Path
    out: Path
    settings: Settings
    revision: str = ""
    limit: int | None = None
    shard: Shard = WHOLE

    @cached_property
    def asking(self) -> Asking:
        """Items and questions."""
        return asking(
            self.name,
            self.parsed,
            self.root,
            local=self.local,
            limit=self.limit,
            seed=self.settings.seed,
        )

    @property
    def dataset(self) -> Dataset:
        """Items and questions as a data set, whose judgements nobody needs."""
        queries = tuple(JudgedQuery(each.asked, {}) for each in self.asking.questions)
        return Dataset(self.name, "test", self.asking.items, queries, ())

    @cached_property
    def digest(self) -> str:
        """Of the data (`digest_of`); a task of a thousand pools of a thousand names takes a second."""
        return digest_of(self.parsed)

    def told(self, models: Models) -> dict[str, Any]:
        """Whatever decides an answer of this task, for its file's first line."""
        s = self.settings
        return {
            "task": self.name,
            "data": self.digest,
            "revision": self.revision,
            "models": fingerprints(models),
            "cascade": str(s.cascade),
            "allocate": s.allocate,
            "gates": s.gates,
            "reasoning": s.reasoning,
            "reason_tokens": s.reason_tokens,
            "limit": self.limit,
            "seed": s.seed,
            # Left out where it changes nothing: answers from before are still good.
            **({"instructions": "of documents too"} if reads_instructions(models) else {}),
        }

    def file(self, budget: int, models: Models, shard: Shard | None = None) -> AnswerFile:
        """The answers of a shard; of this process' own unless told."""
        part = self.shard if shard is None else shard
        name = f"{self.name}_answers{part.suffix}.jsonl"
        return AnswerFile(self.out / f"budget-{budget}" / self.modality / name, self.told(models))

    def left(self, models: Models) -> dict[int, int]:
        """How many questions of this shard are still to be answered, by budget."""
        mine = sum(self.shard.takes(each.number) for each in self.asking.questions)
        return {budget: mine - len(self.file(budget, models).answers()) for budget in self.settings.budgets}


def digest_of(parsed: Parsed) -> str:
    """A hash over what a task asks and what it is ranked over; media count by their names."""
    whole = hashlib.sha256()
    for query in parsed.queries:
        whole.update(dumps([query.side.text, query.side.media, query.info.fields]).encode())
    for each in parsed.candidates:
        whole.update(dumps([each.name, each.side.text, each.side.media]).encode())
    return whole.hexdigest()


def run_task(
    run: TaskRun,
    models: Models,
    cache: BlobCache,
    *,
    documents: Advance | None = None,
    queries: Advance | None = None,
    spread: Spreads | None = None,
) -> Iterator[tuple[int, dict[int, Answer]]]:
    """Ask whatever was not answered before.

    Args:
        run: The task.
        models: What reasons, embeds and judges.
        cache: Reasonings and vectors by content: what tasks share is made once.
        documents: Called with (candidates embedded, candidates).
        queries: Called with (answers, answers of all budgets).
        spread: Has candidates reasoned about and embedded elsewhere (`ponder.spread`).

    Yields:
        For each budget: its answers by the query's number, this process' shard.

    Raises:
        InputInvalid: Another run's answers are here.
    """
    told = run.asking
    mine = [each for each in told.questions if run.shard.takes(each.number)]
    files = {budget: run.file(budget, models) for budget in run.settings.budgets}
    answered = {budget: file.answers() for budget, file in files.items()}
    total = len(mine) * len(files)
    done = sum(len(each) for each in answered.values())
    corpus: Corpus | str = ""
    for budget, file in files.items():
        try:
            for question in mine:
                if question.number in answered[budget]:
                    continue
                if not corpus:
                    corpus = _corpus(told, run.shard, models, cache, run.settings, documents, spread)
                if isinstance(corpus, str):
                    answer = Answer(question.number, (), (), {}, corpus)
                else:
                    answer = _answer(question, told, corpus, run.settings, budget)
                file.add(answer)
                answered[budget][question.number] = answer
                done += 1
                if queries:
                    queries(done, total)
        finally:
            file.close()
        yield budget, answered[budget]


def _corpus(
    told: Asking,
    shard: Shard,
    models: Models,
    cache: BlobCache,
    settings: Settings,
    advance: Advance | None,
    spread: Spreads | None,
) -> Corpus | str:
    """What the questions are ranked over, or why there is nothing: one such task does not stop the others."""
    begin = shard.begins(len(told.items))
    items = (*told.items[begin:], *told.items[:begin])
    try:
        return build_corpus(items, models, cache, settings, advance, told.limits, spread)
    except ModelInvalid:
        raise
    except InputInvalid as error:
        return str(error)


def whole_pool(cascade: Cascade, size: int) -> Cascade:
    """The cascade over a pool of a query's own: retrieved whole, and judged whole by the first judge.

    Example:
        >>> from ponder.cascade import default_cascade
        >>> str(whole_pool(default_cascade(), 400)), str(whole_pool(default_cascade(), 4))
        ('retrieve:400,ecr:400,query-aware:10', 'retrieve:4,ecr:4,query-aware:4')
    """
    stages = []
    judged = False
    for stage in cascade.stages:
        if isinstance(stage, Retrieve):
            stage = replace(stage, k=size)  # noqa: PLW2901 - the pool's size
        elif isinstance(stage, Rerank):
            stage = replace(stage, keep=min(stage.keep, size) if judged else size)  # noqa: PLW2901
            judged = True
        stages.append(stage)
    return Cascade(tuple(stages))


def _answer(question: Question, told: Asking, corpus: Corpus, settings: Settings, budget: int) -> Answer:
    lost = question.problem
    searched, cascade, depth = corpus, settings.cascade, min(DEPTH, len(corpus.index))
    if question.pool is not None:
        there = [row.item.id for row in corpus.index.get(question.pool)]
        lost = lost or _lost(len(question.pool) - len(there))
        if not there:
            return Answer(question.number, (), (), {}, lost)
        searched, depth = corpus.part(there), len(there)
        cascade = whole_pool(cascade, depth)
    elif corpus.skipped:
        lost = lost or _lost(len(corpus.skipped))
    rankings: dict[str, Ranking] = {}
    search = cascade.on(searched, limits=told.limits)
    try:
        for stage, found in search.stream(
            question.asked, budget=budget, k=depth, allocate=settings.allocate, gates=settings.gates
        ):
            rankings[stage] = found
    except (InputInvalid, InputNotFound) as error:
        return Answer(question.number, (), (), {}, str(error))
    *earlier, (_, ranking) = rankings.items()
    names = tuple(told.names[hit.item.id] for hit in ranking)
    scores = tuple(float(hit.score) for hit in ranking)
    stages = {stage: tuple(told.names[hit.item.id] for hit in each.hits[:DEEPEST]) for stage, each in earlier}
    return Answer(question.number, names, scores, tokens_of(ranking.usage), lost, stages)


def _lost(count: int) -> str:
    return f"{count} candidates cannot be opened" if count else ""
