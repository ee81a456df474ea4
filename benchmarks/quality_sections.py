"""The sections of the quality table: which runs each consists of."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness import HERE

Reasoning = Literal["off", "shuffled", "on"]

BUDGETS = "0,64,256,1024"


@dataclass(frozen=True)
class Section:
    """One data set, measured in one way.

    Attributes:
        name: As in ``--only``, and of its folder of runs.
        title: As in the table.
        verb: The command of ponder.
        source: The data, relative to ``--data``; a set of benchmarks/data where `assembled`.
        metric: The main measure.
        modes: What documents know, one run each; all but "on" at budget 0 only.
        options: More of the command line; "{data}" is the folder of the data.
        budgets: Of the run with reasoning.
        assembled: The folder is put together from stamps and benchmarks/data.
        by: Field of the queries' metadata that the rows are broken down by.
        note: What a reader has to know, below the table.
    """

    name: str
    title: str
    source: str
    metric: str = "hit@1"
    verb: str = "evaluate"
    modes: tuple[Reasoning, ...] = ("off", "on")
    options: tuple[str, ...] = ()
    budgets: str = BUDGETS
    assembled: bool = False
    by: str = ""
    note: str = ""

    def command(self, mode: Reasoning, data: Path, work: Path, models: str) -> list[str]:
        """The command line of one run, without what is for the machine only (--json, --run-dir)."""
        target = work / "data" / self.source if self.assembled else data / self.source
        budgets = self.budgets if mode == "on" else "0"
        options = [option.format(data=data) for option in self.options]
        by = ["--by", self.by] if self.by else []
        return [
            *("ponder", self.verb, str(target), *options, *by),
            *("--models", models, "--reasoning", mode, "--budget", budgets),
        ]


ALL: tuple[Reasoning, ...] = ("off", "shuffled", "on")

SECTIONS = (
    Section("photos", "Photos, text → photo", "photos", modes=ALL),
    Section("stamps", "Stamps, caption → picture", "stamps", modes=ALL),
    Section("documents", "Documents, text → page", "documents", metric="ndcg@5", modes=ALL),
    Section(
        "documents_ocr",
        "Documents, OCR alone",
        "documents",
        metric="ndcg@5",
        options=("--text-layer", "off"),
        note="The pages' text layers are ignored: what the page looks like is all there is.",
    ),
    Section("video", "Video, text → clip", "video", modes=ALL),
    Section(
        "moments",
        "Moments, text → segment of its clip",
        "video/moments.jsonl",
        verb="evaluate-moments",
        note="Guessing would get what stands under *without*.",
    ),
    Section(
        "qa",
        "Photos, multiple choice",
        "photos/qa.jsonl",
        metric="accuracy",
        verb="evaluate-qa",
        note="*Without* is the same without the picture: what questions and answers alone give away.",
    ),
    Section(
        "composed",
        "Composed, picture and text → picture",
        "composed",
        assembled=True,
        note="50 queries of ours over the stamps (benchmarks/data): intervals are wide.",
    ),
    Section(
        "picture_to_picture",
        "Picture → picture",
        "picture_to_picture",
        assembled=True,
        note="40 queries of ours over the stamps, each without its own picture.",
    ),
    Section(
        "multilingual",
        "Stamps, captions in other languages",
        "stamps",
        options=("--queries", "{data}/stamps/queries_multilingual.jsonl", "--split", "dev_multilingual"),
        budgets="0",
        by="lang",
        note="MiniLM is an English model; nothing was done for other languages.",
    ),
)


def assemble(name: str, data: Path, work: Path) -> None:
    """Put the set `name` of benchmarks/data together with the stamps, as its README says."""
    spec = importlib.util.spec_from_file_location("assemble", HERE / "data" / "assemble.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.assemble(name, data / "stamps", work / "data" / name)
