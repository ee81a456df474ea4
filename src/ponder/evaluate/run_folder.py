"""``--run-dir``: everything to look at a run again, compare it and repeat it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed, InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.evaluate.bootstrap import RESAMPLES, SEED
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.retrieval import DEPTH, BudgetRun, Outcome
from ponder.evaluate.settings import Settings

_PACKAGES = (
    "numpy",
    "torch",
    "transformers",
    "sentence-transformers",
    "onnxruntime",
    "rapidocr",
    "pypdfium2",
    "av",
)


class RunFolder:
    """A folder with ``manifest.json``, and ``run-BUDGET.trec`` and ``queries-BUDGET.jsonl`` for each budget.

    Args:
        path: The folder; made if it is not there. Files of an earlier run in it are replaced.

    Raises:
        BackendFailed: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BackendFailed(
                f"cannot make the folder: {error.strerror}", str(path), "choose another --run-dir"
            ) from error

    def begin(self, dataset: Dataset, corpus: Corpus, settings: Settings, command: Sequence[str]) -> None:
        """Write the manifest.

        Args:
            dataset: Whose files' sha256 are noted.
            corpus: Whose models' fingerprints and contents' digests are noted.
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
        manifest = {
            "command": list(command),
            "ponder": metadata.version("ponder"),
            "python": platform.python_version(),
            "packages": _versions(),
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "dataset": {
                "name": dataset.name,
                "split": dataset.split,
                "files": {path.name: _sha256(path) for path in dataset.files},
                "documents": len(corpus.index),
                "contents_sha256": corpus.contents_sha256,
            },
            "models": {"name": corpus.models.name, "fingerprints": _fingerprints(corpus)},
            "settings": {**asdict(settings), "cascade": str(settings.cascade)},
            "reason_tokens": corpus.reason_tokens,
            "bootstrap": {"resamples": RESAMPLES, "seed": SEED},
            "depth": DEPTH,
        }
        self._write("manifest.json", json.dumps(manifest, indent=1) + "\n")

    def add(self, run: BudgetRun) -> None:
        """Write one budget's rankings, per-query figures and report."""
        tag = f"ponder-{run.budget}"
        self._write(f"run-{run.budget}.trec", "".join(_trec(outcome, tag) for outcome in run.outcomes))
        rows = (json.dumps(_query_fields(outcome)) + "\n" for outcome in run.outcomes)
        self._write(f"queries-{run.budget}.jsonl", "".join(rows))
        self._write(f"report-{run.budget}.json", json.dumps(run.report.fields, indent=1) + "\n")

    def _write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")


def _trec(outcome: Outcome, tag: str) -> str:
    """``query Q0 document rank score tag`` lines; the rank decides where scores are equal."""
    name = outcome.query.query.id
    return "".join(
        f"{name} Q0 {hit.item.id} {hit.rank} {hit.score!r} {tag}\n" for hit in outcome.ranking.hits
    )


def _query_fields(outcome: Outcome) -> dict[str, Any]:
    usage = outcome.ranking.usage
    return {
        "_id": outcome.query.query.id,
        "metrics": outcome.scores,
        "tokens": {"read": usage.read, "written": usage.written, "cached": usage.cached},
        "tied": outcome.tied,
        "seconds": outcome.seconds,
    }


def _fingerprints(corpus: Corpus) -> dict[str, Any]:
    models = corpus.models
    return {
        "reasoner": models.reasoner.fingerprint,
        "embedder": models.embedder.fingerprint,
        "rerankers": {name: each.fingerprint for name, each in models.rerankers.items()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
