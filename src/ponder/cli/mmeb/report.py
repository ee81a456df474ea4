"""``ponder mmeb report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, show, table
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.evaluate.mmeb.scores import Scores
    from ponder.evaluate.mmeb.submission import Metadata, Submission

_MOST_NAMED = 8


def report(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="A run's folder, a folder of MODALITY/TASK_score.json, or a report's JSON.",
            show_default=False,
        ),
    ],
    submission: Annotated[
        Path | None, typer.Option("--submission", help="Write the leaderboard's JSON here.")
    ] = None,
    pages: Annotated[
        Path | None, typer.Option("--pages", help="Write comparison.md and comparison.html into this folder.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option("--budget", help="Of a run with several: report this one; the largest.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also tasks of which some queries could not be asked.")
    ] = False,
    model_name: Annotated[str, typer.Option(help="For the leaderboard; the folder's name.")] = "",
    model_backbone: Annotated[str | None, typer.Option(help="For the leaderboard.")] = None,
    model_size: Annotated[str | None, typer.Option(help="As in 2B.")] = None,
    embedding_dimension: Annotated[int | None, typer.Option(help="For the leaderboard.")] = None,
    max_length_tokens: Annotated[int | None, typer.Option(help="For the leaderboard.")] = None,
    model_release_date: Annotated[str | None, typer.Option(help="As in 2026-11-01.")] = None,
    data_source: Annotated[str, typer.Option(help="Who measured.")] = "Self-Reported",
    url: Annotated[str | None, typer.Option(help="Of the model.")] = None,
    as_json: options.Json = False,
) -> None:
    """Average a run as the official script does, and honestly; compare it with the leaderboard; submit it.

    The official means leave missing tasks out, and the printed one of documents leaves two page tasks out
    always. Means with what is missing as 0 stand beside them.
    """
    from ponder.evaluate.mmeb.averages import averages_fields
    from ponder.evaluate.mmeb.submission import Metadata
    from ponder.evaluate.mmeb.submission import submission as submission_of

    runs = _runs(out, budget)
    reported, scores = list(runs.items())[-1]
    metadata = Metadata(
        model_name or (scores.name if None in runs else out.resolve().name),
        model_backbone,
        model_size,
        embedding_dimension,
        max_length_tokens,
        model_release_date,
        data_source or None,
        url,
    )
    made = submission_of(scores, metadata, force=force)
    if submission is not None:
        made.write(submission)
    shown = {number: each if force else each.whole for number, each in runs.items()}
    if pages is not None:
        _write(pages, metadata, shown, {} if force else scores.partial)
    told = averages_fields(list(shown.values())[-1])
    if as_json:
        fields: dict[str, Any] = {"model": metadata.model_name, **told, "incomplete": scores.partial}
        print_json({**fields, "submission": _fields(made, submission)})
        return
    if reported is not None:
        show(f"budget {reported}")
    _show(told, made, submission)


def _runs(out: Path, budget: int | None) -> dict[int | None, Scores]:
    from ponder.evaluate.mmeb.scores import budgets_of, read_scores

    there = budgets_of(out)
    if not there:
        if budget is not None:
            raise BadArguments("no budgets", str(out), "leave --budget away")
        return {None: read_scores(out)}
    if budget is not None and budget not in there:
        raise BadArguments(f"no budget {budget}", str(out), f"there are {', '.join(map(str, there))}")
    return {number: read_scores(path) for number, path in there.items() if budget is None or number <= budget}


def _write(folder: Path, metadata: Metadata, runs: dict[int | None, Scores], partial: dict[str, int]) -> None:
    from ponder.evaluate.mmeb.comparison import markdown
    from ponder.evaluate.mmeb.vectors import write_whole
    from ponder.evaluate.page import html_page

    text = markdown(metadata.model_name, runs, partial)
    write_whole(folder / "comparison.md", text.encode())
    write_whole(folder / "comparison.html", html_page(f"MMEB-V2: {metadata.model_name}", text).encode())


def _fields(made: Submission, path: Path | None) -> dict[str, Any]:
    return {
        "path": None if path is None else str(path),
        "missing": list(made.missing),
        "left_out": list(made.left_out),
        "forced": list(made.forced),
    }


def _show(told: dict[str, Any], made: Submission, path: Path | None) -> None:
    rows = table("", "tasks", "mean", "missing as 0")
    for name, mean in [*told["modalities"].items(), *told["meta_tasks"].items(), ("all", told["overall"])]:
        found = mean["mean_of_found"]
        count = f"{mean['found']} of {mean['expected']}"
        rows.add_row(
            name, count, "" if found is None else f"{found:.4f}", f"{mean['mean_with_missing_as_0']:.4f}"
        )
    show(rows)
    for what, names in (
        ("no score", made.missing),
        ("incomplete, left out", made.left_out),
        ("incomplete, taken all the same", made.forced),
    ):
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            show(f"{what}: {', '.join(names[:_MOST_NAMED])}{more}")
    if path is not None:
        show(f"submission: {path}")
