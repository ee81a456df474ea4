"""Options that several verbs share, so that they are spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.shelf.shard import Shard

BUDGETS = "0,64,256,1024"
MOST_HITS = 100_000_000
"""That of `ponder.index.scores`, which takes too long to import for reading options."""

Shelf = Annotated[Path, typer.Argument(help="The folder that holds the shelf.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]
Models = Annotated[str, typer.Option("--models", help="A preset's name.")]
Filter = Annotated[
    str | None,
    typer.Option("--filter", metavar="EXPR", help="Only items that this holds for, as in: kind = 'page'"),
]
Stages = Annotated[
    str | None,
    typer.Option(
        "--stages", help="The cascade: NAME or NAME:NUMBER, as in retrieve:100,ecr:20,query-aware:10"
    ),
]
Isolate = Annotated[
    Literal["on", "off", "auto"],
    typer.Option(
        envvar="PONDER_ISOLATE",
        help="Open files in a process apart, bounded in memory and time: all, none, or PDFs and clips "
        "(and all once a decoder has died).",
    ),
]
OnFault = Annotated[
    Literal["raise", "keep"],
    typer.Option(
        help="If a stage's model fails: raise ends the search, keep goes on without it and says so."
    ),
]
ReasonTokens = Annotated[
    int | None,
    typer.Option("--reason-tokens", min=0, help="Longest reasoning about a document; the models' own."),
]
Reasoning = Annotated[
    Literal["on", "off", "shuffled"],
    typer.Option(help="off: documents without added knowledge; shuffled: each with another's."),
]
TextLayer = Annotated[
    Literal["on", "off"],
    typer.Option("--text-layer", help="Whether PDFs' text layers may be read; off leaves OCR."),
]
RunDir = Annotated[
    Path | None,
    typer.Option(help="Write a manifest and each query's figures here; `evaluate` also TREC runs."),
]
Budgets = Annotated[str, typer.Option("--budget", metavar="N,N,…", help="Token budgets, one line each.")]
Allocate = Annotated[
    str,
    typer.Option("--allocate", help="How a budget is split: uniform, or adaptive: only while it can matter."),
]
Pool = Annotated[
    Literal["each", "common"],
    typer.Option(
        "--pool",
        help="Whose the budget is: each query's, or common: as a mean, spent where the first place is open.",
    ),
]
Gates = Annotated[
    Literal["on", "off"],
    typer.Option(help="off: run stages even for queries that they were measured not to help."),
]
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="local|ray[:ADDRESS]",
        help="Who reasons about documents and embeds them: this process, or workers on a Ray cluster.",
    ),
]
Actors = Annotated[
    int | None, typer.Option("--actors", min=1, help="With --on ray: most workers; as many as fit.")
]
ActorGpus = Annotated[
    float,
    typer.Option("--actor-gpus", min=0, help="GPUs of each worker; files are then opened on CPUs apart."),
]
ShardSeconds = Annotated[
    float,
    typer.Option("--shard-seconds", min=1, help="A worker silent for longer is replaced, its shard retried."),
]
SpoolFolder = Annotated[
    Path | None,
    typer.Option("--spool", help="Folder that all machines see, for finished shards; beside the result."),
]
Store = Annotated[
    str | None,
    typer.Option(
        help="Where a new shelf keeps its index: lance (its folder), s3://…, postgresql://…, qdrant+http://…",
        metavar="WHERE",
        show_default=False,
    ),
]
FileShard = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Only the Kth of N parts of the files: a machine each, then ponder merge.",
        show_default=False,
    ),
]
Budget = Annotated[
    int,
    typer.Option(
        "--budget", min=0, help="The most tokens to read and write for this query; 0 is plain retrieval."
    ),
]


def parse_budgets(text: str) -> tuple[int, ...]:
    """The budgets of ``--budget 0,64,256``, in the order given.

    Raises:
        BadArguments: One of them is negative, no whole number, or there twice.

    Example:
        >>> parse_budgets("0, 64")
        (0, 64)
    """
    parts = [part.strip() for part in text.split(",")]
    hint = "give whole numbers of at least 0, as in 0,64,256,1024"
    for part in parts:
        if not (part.isascii() and part.isdigit()):
            raise BadArguments(f"not a budget: {part!r}", "--budget", hint)
    budgets = tuple(int(part) for part in parts)
    if len(set(budgets)) < len(budgets):
        raise BadArguments("a budget is there twice", "--budget", "name each once")
    return budgets


def parse_shard(text: str | None) -> Shard | None:
    """The part of ``--shard 2/8``; None for all.

    Raises:
        BadArguments: It is none.
    """
    from ponder.shelf.shard import Shard

    return None if text is None else Shard.parse(text)


def cascade_of(stages: str | None) -> Cascade:
    """The cascade that ``--stages`` names, or the default one.

    Raises:
        BadArguments: A stage has no name, or what follows its colon is no number.
    """
    from ponder.cascade import default_cascade, parse_stages

    return default_cascade() if stages is None else parse_stages(stages)
