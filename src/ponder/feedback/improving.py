"""The loop: mine, filter, train, measure; keep what is better, and stop when a round does not help.

TTE-v2's rHNM (arXiv:2602.23369): the reranker's judgements teach the retriever, which then gives the reranker
better work. Every round trains from the base anew, on pairs that the round before mined: what is kept is a
better training set, not a longer training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from ponder.cascade.cascade import Cascade
from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.media_sums import media_sha256
from ponder.evaluate.metrics import METRICS
from ponder.evaluate.overlap import shared
from ponder.evaluate.retrieval import BudgetRun, run_budgets
from ponder.evaluate.run_folder import fingerprints
from ponder.evaluate.settings import Settings
from ponder.feedback.mining import MiningSettings, mine
from ponder.feedback.rounds import Figures, Round, Rule
from ponder.feedback.summary import Mining
from ponder.feedback.trainees import Trainee
from ponder.models.registry import load, nameable
from ponder.protocols import BlobCache
from ponder.train.job import Progress, digests


class Miner(Protocol):
    """Mines pairs with the models that there are now."""

    def __call__(self, dataset: Dataset, corpus: Corpus, out: Path, progress: Progress) -> Mining:
        """Mine the training split's pairs into `out`; the same again goes on or finds the result."""
        ...


def mining(settings: MiningSettings) -> Miner:
    """Mine with these settings."""

    def run(dataset: Dataset, corpus: Corpus, out: Path, progress: Progress) -> Mining:
        with progress("queries to mine for") as advance:
            return mine(dataset, corpus, settings, out, advance)

    return run


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop.

    Attributes:
        train: The split to learn from.
        dev: The split to measure on, of the same corpus.
        guards: Data sets that are not to be harmed, measured by the retriever alone.
        models: To begin with, as in ``--models``.
        trainee: What learns.
        mine: What mines.
        cascade: The stages that dev is measured with.
        budget: Tokens a query on dev.
        rule: When a round is kept.
        cache: Of everything.

    Raises:
        BadArguments: Two guards have one name: only one of them would be watched.
        InputInvalid: A query of `dev` is one of `train`, with an answer of it, by what they hold and not by
            their ids: what it gains may be learned by heart.
    """

    train: Dataset
    dev: Dataset
    guards: Sequence[Dataset]
    models: str
    trainee: Trainee
    mine: Miner
    cascade: Cascade
    budget: int
    rule: Rule
    cache: BlobCache

    def __post_init__(self) -> None:
        names = [each.name for each in self.guards]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadArguments(
                f"two named {twice[0]!r}", "--guard", "name each once, in folders of other names"
            )
        if known := shared(self.train, self.dev):
            raise InputInvalid(
                f"{len(known)} of its queries are in {self.train.split} too, with an answer: {known[0]!r}, …",
                f"{self.dev.name}/{self.dev.split}",
                "measure on queries that are not learned from: take them out of one split's qrels",
            )

    def manifest(self, settings: MiningSettings) -> dict[str, Any]:
        """Whatever decides what comes of it."""
        return {
            "part": "loop",
            "models": self.models,
            "fingerprints": fingerprints(load(self.models, cache=self.cache)),
            "train": _files(self.train),
            "dev": _files(self.dev),
            "guards": {each.name: _files(each) for each in self.guards},
            "mining": settings.fields(),
            "training": repr(self.trainee.settings),
            "cascade": str(self.cascade),
            "budget": self.budget,
            "rule": asdict(self.rule),
        }

    def run(
        self,
        out: Path,
        rounds: int,
        progress: Progress,
        told: Callable[[Round], None] = lambda _: None,
    ) -> list[Round]:
        """Go round until a round does not help; what is done already in `out` is not done again.

        Args:
            out: A folder a round.
            rounds: At most.
            progress: Tells how far it is.
            told: Called with each round when it is done.

        Returns:
            How it was before, then the rounds.

        Raises:
            BadArguments: `out` cannot be part of the name of models.
        """
        nameable(out)
        done = [self._before(out / "round-0", progress)]
        told(done[0])
        for number in range(1, rounds + 1):
            folder = out / f"round-{number}"
            found = Round.read(folder) or self._round(number, folder, done, progress)
            done.append(found)
            told(found)
            if not found.kept:
                break
        return done

    def _before(self, folder: Path, progress: Progress) -> Round:
        kept = Round.read(folder)
        if kept is not None:
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        figures = self._measure(self.models, progress)
        found = Round(0, figures, {}, 0, {}, True, "as it was")
        found.save(folder)
        return found

    def _round(self, number: int, folder: Path, done: Sequence[Round], progress: Progress) -> Round:
        best = best_of(done)
        began = time.perf_counter()
        corpus = self._corpus(self.train, best.figures.models, progress)
        mined = self.mine(self.train, corpus, folder / "pairs", progress)
        between = time.perf_counter()
        models = self.trainee.learn(self.train, mined.path, folder / "training", progress)
        ended = time.perf_counter()
        figures = self._measure(models, progress)
        kept, why = self.rule.judge(figures, best.figures, done[0].figures)
        seconds = {"mining": round(between - began, 1), "training": round(ended - between, 1)}
        found = Round(number, figures, dict(mined.decisions), mined.tokens, seconds, kept, why)
        found.save(folder)
        return found

    def _measure(self, models: str, progress: Progress) -> Figures:
        corpus = self._corpus(self.dev, models, progress)
        settings = Settings(budgets=(0, self.budget), cascade=self.cascade)
        with progress(f"queries of {self.dev.name}") as advance:
            plain, whole = run_budgets(self.dev, corpus, settings, advance)
        guards = {}
        for guard in self.guards:
            settings = Settings(budgets=(0,), cascade=self.cascade)
            [run] = run_budgets(guard, self._corpus(guard, models, progress), settings)
            guards[guard.name] = run.report.metrics[self.rule.metric]
        spent = [outcome.ranking.usage.spent for outcome in whole.outcomes]
        return Figures(models, _columns(plain), _columns(whole), sum(spent) / len(spent), guards)

    def _corpus(self, dataset: Dataset, models: str, progress: Progress) -> Corpus:
        with progress(f"documents of {dataset.name}") as advance:
            return build_corpus(
                dataset.items, load(models, cache=self.cache), self.cache, Settings(), advance
            )


def best_of(rounds: Sequence[Round]) -> Round:
    """The last round that was kept."""
    return [each for each in rounds if each.kept][-1]


def _files(dataset: Dataset) -> dict[str, str]:
    """A split for a manifest."""
    return {**digests(dataset), "media": media_sha256(dataset)}


def _columns(run: BudgetRun) -> dict[str, list[float]]:
    return {name: [outcome.scores[name] for outcome in run.outcomes] for name in METRICS}
