"""Climbing the ladder of budgets: one run a way and budget, kept as it ends, so that a kill loses one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ponder.errors import PonderError
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.scaling.kept import Kept, Runs, Way
from ponder.evaluate.settings import ReasoningMode, Settings

Build = Callable[[ReasoningMode], Corpus]
Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A run that ended with an error, and was left out."""

    way: Way
    budget: int
    error: str


class Ladder:
    """The runs of a scaling curve.

    Args:
        runs: Where they are kept.
        dataset: What is run.
        build: From a reasoning mode to an indexed corpus; called only if a run needs it.
        settings: Cascade, budgets and limits; reasoning and allocation are each way's own.
        command: The command line, for manifests.

    Attributes:
        refused: Runs that a model refused; the others go on.
    """

    def __init__(
        self, runs: Runs, dataset: Dataset, build: Build, settings: Settings, command: Sequence[str]
    ) -> None:
        self._runs, self._dataset, self._settings, self._command = runs, dataset, settings, list(command)
        self._build = build
        self._corpora: dict[ReasoningMode, Corpus] = {}
        self.refused: list[Refused] = []

    def climb(self, ways: Sequence[Way], advance: Advance | None = None) -> Iterator[Kept]:
        """Each way at each budget, in order; what has ended with the same settings is not run again.

        Args:
            ways: What to compare.
            advance: Called with (queries done, queries in all) of this climb.

        Yields:
            Each run that ended well.

        Raises:
            PonderError: Of the first run, if none ended well.
        """
        steps = [(way, budget) for way in ways for budget in self._settings.budgets]
        each = len(self._dataset.queries)
        first: PonderError | None = None
        for number, (way, budget) in enumerate(steps):

            def inner(done: int, _total: int, before: int = number * each) -> None:
                if advance:
                    advance(before + done, len(steps) * each)

            try:
                kept = self._step(way, budget, inner)
            except PonderError as error:
                first = first or error
                self.refused.append(Refused(way, budget, str(error)))
            else:
                yield kept
        if first is not None and len(self.refused) == len(steps):
            raise first

    def _step(self, way: Way, budget: int, advance: Advance) -> Kept:
        found = self._runs.find(way, budget)
        if found is not None:
            advance(len(self._dataset.queries), 0)
            return found
        corpus = self._corpus(way.reasoning)
        [run] = run_budgets(self._dataset, corpus, self._runs.settings(way, budget), advance)
        return self._runs.keep(way, run, corpus, self._command)

    def _corpus(self, reasoning: ReasoningMode) -> Corpus:
        if reasoning not in self._corpora:
            # One at a time: a corpus of vectors is large.
            self._corpora = {reasoning: self._build(reasoning)}
        return self._corpora[reasoning]
