"""``--run-dir``: everything to look at a run again, compare it and repeat it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed
from ponder.evaluate.bootstrap import RESAMPLES, SEED
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.settings import Settings
from ponder.models.folder import sha256_of
from ponder.protocols import Calibrated, Models

PACKAGES = (
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
    """A folder with ``manifest.json``; ``queries-BUDGET.jsonl`` and ``report-BUDGET.json`` of each budget.

    Args:
        path: The folder; made if it is not there. Files of an earlier run in it are replaced.

    Raises:
        BackendFailed: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = made(path, "--run-dir")

    def begin(
        self,
        name: str,
        files: Sequence[Path],
        corpus: Corpus,
        settings: Settings,
        command: Sequence[str],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the manifest.

        Args:
            name: Of the data set.
            files: What it was read from; their sha256 are noted.
            corpus: Whose models' fingerprints and contents' digests are noted.
            settings: Noted whole.
            command: The command line that repeats the run.
            more: What else there is to say about the data set.
        """
        manifest = {
            "command": list(command),
            "ponder": metadata.version("ponder"),
            "python": platform.python_version(),
            "packages": package_versions(),
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "dataset": {
                "name": name,
                "files": {path.name: sha256_of(path) for path in files},
                "documents": len(corpus.index),
                "contents_sha256": corpus.contents_sha256,
                **(more or {}),
            },
            "models": {"name": corpus.models.name, "fingerprints": fingerprints(corpus.models)},
            "settings": {**asdict(settings), "cascade": str(settings.cascade)},
            "reason_tokens": corpus.reason_tokens,
            "bootstrap": {"resamples": RESAMPLES, "seed": SEED},
        }
        self.write("manifest.json", json.dumps(manifest, indent=1) + "\n")

    def add(self, budget: int, report: Mapping[str, Any], queries: Iterable[Mapping[str, Any]]) -> None:
        """Write one budget's report and figures by query.

        Args:
            budget: The tokens a query might cost.
            report: The line that the command prints.
            queries: A row a query, with ``_id`` and ``metrics``: what paired comparisons need.
        """
        rows = (json.dumps(row) + "\n" for row in queries)
        self.write(f"queries-{budget}.jsonl", "".join(rows))
        self.write(f"report-{budget}.json", json.dumps(report, indent=1) + "\n")

    def write(self, name: str, text: str) -> None:
        """Put another file into the folder, or in the place of one."""
        (self.path / name).write_text(text, encoding="utf-8")


def made(folder: Path, option: str) -> Path:
    """The folder, made if it is not there.

    Args:
        folder: Where to.
        option: That names it, for the message.

    Raises:
        BackendFailed: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot make the folder: {error.strerror}"
        raise BackendFailed(what, str(folder), f"choose another {option}") from error
    return folder


def fingerprints(models: Models) -> dict[str, Any]:
    """Of models and of what was measured about their judges."""
    calibration = models.calibration if isinstance(models, Calibrated) else None
    return {
        "reasoner": models.reasoner.fingerprint,
        "embedder": models.embedder.fingerprint,
        "rerankers": {name: each.fingerprint for name, each in models.rerankers.items()},
        "calibration": None if calibration is None else calibration.fingerprint,
    }


def package_versions() -> dict[str, str]:
    """Versions of the packages that decide figures; of those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
