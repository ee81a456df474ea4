"""``ponder evaluate --run-dir``: the run folder with a TREC run for each budget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.report import tokens_of
from ponder.evaluate.retrieval import DEPTH, BudgetRun, Outcome
from ponder.evaluate.run_folder import RunFolder
from ponder.evaluate.settings import Settings
from ponder.evaluate.trec_run import falling


class TrecFolder:
    """A `RunFolder` with ``run-BUDGET.trec`` beside each budget's report.

    Args:
        path: As for `RunFolder`.

    Attributes:
        path: The folder.

    Raises:
        BackendFailed: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._folder = RunFolder(path)
        self.path = self._folder.path

    def begin(self, dataset: Dataset, corpus: Corpus, settings: Settings, command: Sequence[str]) -> None:
        """Write the manifest.

        Args:
            dataset: What is run.
            corpus: Its documents, indexed.
            settings: Noted whole.
            command: The command line that repeats the run.

        Raises:
            InputInvalid: An id holds white space, which a TREC run cannot carry.
        """
        for name in (*(item.id for item in dataset.items), *(each.query.id for each in dataset.queries)):
            if len(name.split()) != 1 or name != name.strip():
                raise InputInvalid(
                    f"the id {name!r} holds white space", dataset.name, "rename it, or leave --run-dir away"
                )
        more = {"split": dataset.split, "depth": DEPTH}
        self._folder.begin(dataset.name, dataset.files, corpus, settings, command, more)

    def add(self, run: BudgetRun) -> None:
        """Write one budget's rankings, per-query figures and report."""
        tag = f"ponder-{run.budget}"
        trec = "".join(_trec(outcome, tag) for outcome in run.outcomes)
        self._folder.write(f"run-{run.budget}.trec", trec)
        self._folder.add(run.budget, run.report.fields, map(_query_fields, run.outcomes))


def _trec(outcome: Outcome, tag: str) -> str:
    """``query Q0 document rank score tag`` lines.

    Equal scores are set apart by the least step: trec_eval orders them by ids, not by ranks.
    """
    name, hits = outcome.query.query.id, outcome.ranking.hits
    scores = falling(hit.score for hit in hits)
    return "".join(
        f"{name} Q0 {hit.item.id} {hit.rank} {score!r} {tag}\n"
        for hit, score in zip(hits, scores, strict=True)
    )


def _query_fields(outcome: Outcome) -> dict[str, Any]:
    return {
        "_id": outcome.query.query.id,
        "metrics": outcome.scores,
        "tokens": tokens_of(outcome.ranking.usage),
        "tied": outcome.tied,
        "seconds": outcome.seconds,
    }
