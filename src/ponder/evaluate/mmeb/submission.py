"""The file that is sent to the leaderboard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ponder.evaluate.mmeb.scores import MODALITIES, Entry, Scores
from ponder.evaluate.mmeb.vectors import write_whole


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the leaderboard wants to know of a model; the names are its own."""

    model_name: str
    model_backbone: str | None = None
    model_size: str | None = None
    embedding_dimension: int | None = None
    max_length_tokens: int | None = None
    model_release_date: str | None = None
    data_source: str | None = "Self-Reported"
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission and what it lacks.

    Attributes:
        report: As the file has it.
        missing: Tasks without a score or without the figure that counts.
        left_out: Tasks that were scored on a part of their queries, and are not in it.
        forced: Tasks that were scored on a part of their queries, and are in it all the same.
    """

    report: dict[str, Any]
    missing: Sequence[str]
    left_out: Sequence[str]
    forced: Sequence[str]

    def write(self, path: Path) -> None:
        """Write the file."""
        write_whole(path, json.dumps(self.report, indent=4).encode())


def submission(scores: Scores, metadata: Metadata, *, force: bool = False) -> Submission:
    """Put a submission together, as the official script does.

    Args:
        scores: Of the run.
        metadata: Of the model.
        force: Also tasks of which some queries could not be asked.
    """
    shown = scores if force else scores.whole
    report = {
        "metadata": {**asdict(metadata), "report_generated_date": datetime.now().isoformat()},
        "metrics": {
            modality: {entry.task.leaderboard_key: _told(entry) for entry in shown.of(modality)}
            for modality in MODALITIES
        },
    }
    partial = list(scores.partial)
    missing = [entry.task.name for entry in scores.entries if entry.value is None]
    return Submission(report, missing, [] if force else partial, partial if force else [])


def _told(entry: Entry) -> Any:
    return entry.status if entry.score is None else dict(entry.score)
