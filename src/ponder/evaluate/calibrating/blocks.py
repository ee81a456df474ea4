"""What judges say of a data set's candidates, query by query, through the cascade itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ponder.cascade import Cascade, Rerank, Retrieve
from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.retrieval import without
from ponder.protocols import Index, JudgesApart, Models, Reads, Reranker, Sits
from ponder.records import Candidate, Content, Judgement, Kind, Ranking, Skipped, Usage
from ponder.rerank.calibration import CalibratedModels, Calibration
from ponder.rerank.fusion import fuse

UNLIMITED = 10**9
"""More tokens than any judge reads: to be measured a judge sees everyone."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Block:
    """One query's candidates before a stage, and what its judge says of them.

    Attributes:
        query: The query's id.
        ids: Of the candidates, best of the earlier stage first.
        kinds: Of each.
        earlier: Score of each after the earlier stage.
        said: The judge's score of each; None for one without a verdict.
        rest: Ids behind the block, in order.
        grades: The query's judgements.
        tokens: Read and written by the judge.
        signals: What retrieval tells of the query (`ponder.cascade.signals`).
        swings: What the judge tells of itself for each: how far its verdict may move it; None where it does
            not know. Empty for a judge that has to see all together.
        sits: Whether the judge reads a query once for all rounds.
    """

    query: str
    ids: tuple[str, ...]
    kinds: tuple[Kind, ...]
    earlier: tuple[float, ...]
    said: tuple[float | None, ...]
    rest: tuple[str, ...]
    grades: Mapping[str, int]
    tokens: int
    signals: Mapping[str, float]
    swings: tuple[float | None, ...] = ()
    sits: bool = False

    def reordered(self, moved: Sequence[float | None]) -> list[str]:
        """All ids once the judge has moved each candidate by so much."""
        order = fuse(self.earlier, moved, 1.0).order
        return [*(self.ids[place] for place in order), *self.rest]


class Recorder:
    """A judge whose words are kept: asked the same again, it says the same, for nothing.

    Args:
        judge: Who judges.

    Attributes:
        last: What it was asked last, with the answer and its price when it was new.
        swings: What the judge told of itself then, as in `Block`.
    """

    reads: Reads

    def __init__(self, judge: Reranker) -> None:
        self._judge = judge
        self._kept: dict[tuple[str, tuple[str, ...]], Judgement] = {}
        self.name, self.fingerprint, self.weight = judge.name, judge.fingerprint, judge.weight
        self.reads, self.sits = judge.reads, isinstance(judge, Sits)
        self.query = ""
        self.last: tuple[Sequence[Candidate], Judgement] | None = None
        self.swings: tuple[float | None, ...] = ()

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """As the judge; what is kept costs nothing."""
        key = self.query, tuple(candidate.row.item.id for candidate in candidates)
        known = self._kept.get(key)
        judgement = known or self._judge.rerank(query, candidates, limit=limit)
        self._kept[key] = judgement
        self.last = candidates, judgement
        judge = self._judge
        self.swings = (
            tuple(_known(judge.swing(query, each)) for each in candidates)
            if isinstance(judge, JudgesApart)
            else ()
        )
        return Judgement(judgement.verdicts, Usage() if known else judgement.usage)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A data set with an indexed corpus and judges that remember: what blocks are drawn from.

    Attributes:
        dataset: The queries.
        corpus: Where they search.
        cascade: Its reranking stages are measured, in order.
        recorders: By stage name.
    """

    dataset: Dataset
    corpus: Corpus
    cascade: Cascade
    recorders: Mapping[str, Recorder]

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Documents and queries that are missing or cannot be opened."""
        return (*self.dataset.skipped, *self.corpus.skipped)

    @classmethod
    def of(cls, dataset: Dataset, corpus: Corpus, cascade: Cascade) -> Judged:
        """With a recorder for each reranking stage."""
        stages = [stage for stage in cascade.stages if isinstance(stage, Rerank)]
        recorders = {stage.name: Recorder(stage.judge(corpus.models)) for stage in stages}
        return cls(dataset, corpus, cascade, recorders)

    def blocks(self, stage: Rerank, known: Calibration, advance: Advance | None = None) -> list[Block]:
        """Each query's block before `stage`, the stages before it weighed as `known` says.

        Queries that cannot be opened are left out; an evaluation lists them.

        Raises:
            InputInvalid: None can be opened.
        """
        first, *_ = self.cascade.stages
        if not isinstance(first, Retrieve):
            raise TypeError("Cascade.check lets no such cascade through")
        before = self._before(stage)
        recorder = self.recorders[stage.name]
        chain = Cascade((first, *before, Rerank(stage.name, stage.keep, weight=0.0, reranker=recorder)))
        search = chain.on(_Place(self.corpus.index, CalibratedModels(self.corpus.models, known)))
        found: list[Block] = []
        why = ""
        for done, query in enumerate(self.dataset.queries, 1):
            for each in self.recorders.values():
                each.query, each.last = query.query.id, None
            try:
                where = without(query.exclude)
                ranking = search(query.query, budget=UNLIMITED, k=first.k, where=where, gates=False)
            except (InputInvalid, InputNotFound) as error:
                why = str(error)
                continue
            if recorder.last is not None:
                found.append(_block(query, recorder.last, ranking, recorder))
            if advance:
                advance(done, len(self.dataset.queries))
        if not found:
            raise InputInvalid("no query can be judged", self.dataset.name, why)
        return found

    def _before(self, stage: Rerank) -> list[Rerank]:
        earlier = self.cascade.stages[: self.cascade.stages.index(stage)]
        return [
            Rerank(each.name, each.keep, reranker=self.recorders[each.name])
            for each in earlier
            if isinstance(each, Rerank)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    index: Index
    models: Models


def _known(swing: float | None) -> float | None:
    return swing if swing is not None and math.isfinite(swing) else None


def _block(
    judged: JudgedQuery,
    last: tuple[Sequence[Candidate], Judgement],
    ranking: Ranking,
    recorder: Recorder,
) -> Block:
    candidates, judgement = last
    said = {verdict.id: verdict.score for verdict in judgement.verdicts}
    ids = tuple(candidate.row.item.id for candidate in candidates)
    return Block(
        judged.query.id,
        ids,
        tuple(candidate.row.item.kind for candidate in candidates),
        tuple(candidate.score for candidate in candidates),
        tuple(said.get(name) for name in ids),
        tuple(hit.item.id for hit in ranking if hit.item.id not in set(ids)),
        judged.grades,
        judgement.usage.spent,
        ranking.signals,
        recorder.swings,
        recorder.sits,
    )
