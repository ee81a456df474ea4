"""Options that the training commands share, so that they are spelt and explained once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ponder.errors import BadArguments, InputNotFound

if TYPE_CHECKING:
    from ponder.evaluate.beir import Dataset


def _nameable(out: Path) -> Path:
    from ponder.models.registry import nameable

    return nameable(out)


Folders = Annotated[
    list[Path] | None, typer.Argument(metavar="DIR...", help="BEIR folders with media.", show_default=False)
]
Data = Annotated[
    list[Path] | None, typer.Option("--data", metavar="DIR", help="The same as DIR.", show_default=False)
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with what OUT holds: what is done without it too.")
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="OUT",
        help="Folder for the result; the same command again resumes.",
        show_default=False,
        callback=_nameable,
    ),
]
Split = Annotated[str, typer.Option("--split", help="Train on qrels/SPLIT.tsv.")]
Pairs = Annotated[
    list[Path] | None,
    typer.Option(
        "--pairs",
        metavar="FILE",
        help="Pairs of ponder mine, file or folder; once a DIR, in order, none for none.",
    ),
]
Suspects = Annotated[
    bool,
    typer.Option(
        "--suspects/--no-suspects",
        help="Train on suspect positives too: most are right. Never on those that a person denied.",
    ),
]
Dev = Annotated[
    list[str] | None,
    typer.Option(
        "--dev",
        metavar="DIR",
        help="Measure on DIR's dev split as it goes; the DIRs' own unless told; none for none.",
    ),
]
Licence = Annotated[
    list[str] | None,
    typer.Option("--licence", metavar="NAME", help="Of the data, for the model card; once, or once a DIR."),
]
ReportTo = Annotated[
    str,
    typer.Option("--report-to", metavar="NAME,…", help="tensorboard, wandb, …, beside OUT/log.jsonl; none."),
]
StopAfter = Annotated[
    int, typer.Option("--stop-after", min=0, help="Stop after this step; the same command goes on.")
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base", metavar="MODEL", help="Folder, hub name or weights' name, in place of the preset's."
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the order, of adapters and of dropout.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew where OUT holds a training already.")]
Adapter = Annotated[
    Literal["merged", "kept"], typer.Option("--adapter", help="Whether LoRA is merged into the result.")
]
Rank = Annotated[int, typer.Option("--rank", help="Of LoRA.")]
Alpha = Annotated[int, typer.Option("--alpha", help="Of LoRA.")]
Epochs = Annotated[int, typer.Option("--epochs", help="Times over all examples.")]
Warmup = Annotated[float, typer.Option("--warmup", help="Share of the steps.")]
Decay = Annotated[float, typer.Option("--decay", help="Weight decay.")]
Mini = Annotated[int, typer.Option("--mini", help="Examples in a graph at a time: bounds memory.")]
Checkpointing = Annotated[bool, typer.Option("--checkpointing", help="Slower, in less memory.")]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16"],
    typer.Option("--dtype", help="auto: bfloat16 on a GPU that has it."),
]
Every = Annotated[int, typer.Option("--every", help="Steps between checkpoints; 0: ten in all.")]
Tflops = Annotated[
    float | None, typer.Option("--tflops", help="For --dry-run: the device's 10^12 operations a second.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and stop.")]


def lasting(arguments: Sequence[str]) -> list[str]:
    """The command line without what only says how far to go this time.

    Example:
        >>> lasting(["train", "embedder", "d", "--stop-after", "5", "--fresh"])
        ['train', 'embedder', 'd']
    """
    found, skip = [], False
    for each in arguments:
        if (
            not skip
            and each not in ("--fresh", "--resume", "--stop-after")
            and not each.startswith("--stop-after=")
        ):
            found.append(each)
        skip = each == "--stop-after"
    return found


def reports(text: str) -> list[str]:
    """What is reported to.

    Example:
        >>> reports("tensorboard, wandb"), reports("none")
        (['tensorboard', 'wandb'], [])
    """
    return [each.strip() for each in text.split(",") if each.strip() not in ("", "none")]


def given(folders: Sequence[Path] | None, data: Sequence[Path] | None) -> list[Path]:
    """The folders that were named, in either way.

    Raises:
        BadArguments: None was.
    """
    found = [*(folders or ()), *(data or ())]
    if not found:
        raise BadArguments("no data set", "DIR", "name a BEIR folder")
    return found


def datasets(folders: Sequence[Path], split: str) -> list[Dataset]:
    """The data sets to train on, a task each.

    Raises:
        BadArguments: Two have the same name.
        InputNotFound, InputInvalid: One cannot be read.
    """
    from ponder.evaluate.beir import load_beir

    found = [load_beir(folder, split=split) for folder in folders]
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise BadArguments("two DIRs have the same name", ", ".join(names), "give each once")
    return found


def pairs_of(files: Sequence[Path] | None, datasets: Sequence[Dataset]) -> list[Path | None]:
    """The file of pairs of each data set.

    Raises:
        BadArguments: There are not as many.
        InputNotFound: One is not there.
    """
    if not files:
        return [None] * len(datasets)
    for file in files:
        if str(file) != "none" and not file.exists():
            raise InputNotFound("no pairs here", str(file), "make some with: ponder mine")
    if len(files) != len(datasets):
        raise BadArguments(
            f"{len(files)} for {len(datasets)} DIRs", "--pairs", "give one a DIR, none for none"
        )
    from ponder.feedback.mined import pairs_at

    return [None if str(file) == "none" else pairs_at(file) for file in files]


def dev_of(told: Sequence[str] | None, folders: Sequence[Path]) -> list[Dataset]:
    """What to measure on: what was told, or else the dev splits of what is trained on.

    Raises:
        InputNotFound, InputInvalid: One cannot be read.
    """
    if told == ["none"]:
        return []
    if told:
        return datasets([Path(each) for each in told], "dev")
    return datasets([each for each in folders if (each / "qrels" / "dev.tsv").is_file()], "dev")


def licences(told: Sequence[str] | None, datasets: Sequence[Dataset]) -> dict[str, str]:
    """The licence of each data set, as told.

    Raises:
        BadArguments: Neither one nor one a data set.
    """
    if not told:
        return {}
    if len(told) not in (1, len(datasets)):
        raise BadArguments(f"{len(told)} for {len(datasets)} DIRs", "--licence", "give one, or one a DIR")
    names = [each.name for each in datasets]
    return dict(zip(names, [*told] * len(names) if len(told) == 1 else told, strict=True))
