"""``ponder compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, show, table

if TYPE_CHECKING:
    from ponder.evaluate.comparing.paired import Compared, Comparison, Move
    from ponder.evaluate.comparing.shown import Shown

Budget = Annotated[int | None, typer.Option(help="Of a run with several budgets; the largest.")]


def compare(
    run_a: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_A",
            help="A folder of `evaluate --run-dir` or of MMEB predictions, or a TREC run.",
            show_default=False,
        ),
    ],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another, of the same queries.")],
    budget_a: Budget = None,
    budget_b: Budget = None,
    metric: Annotated[
        str | None, typer.Option(help="What wins and losses are counted by; hit@1, or the task's own.")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="Regressions to show of each data set or task.")] = 10,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="The BEIR folder or MMEB data, for words and pictures, and to score TREC runs against.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Of TREC runs: which qrels/SPLIT.tsv of --data.")] = "dev",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write compare.md, compare.html and pictures here.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare two runs query by query: what was won and lost, with paired intervals.

    Differences are RUN_B less RUN_A. The worst regressions are listed; with --data and --out they are shown
    with their pictures.
    """
    from ponder.evaluate.comparing.paired import compare as paired
    from ponder.evaluate.comparing.runs import read_run

    before = read_run(run_a, budget_a, data=data, split=split)
    found = paired(before, read_run(run_b, budget_b, data=data, split=split), metric)
    if out is not None:
        _write(out, found, data, worst)
    if as_json:
        print_json(_fields(found, worst))
        return
    _show(found)
    if out is not None:
        show(f"report: {out / 'compare.html'}")


def _write(out: Path, found: Comparison, data: Path | None, worst: int) -> None:
    from ponder.evaluate.comparing.report import PICTURES, markdown
    from ponder.evaluate.comparing.shown import shown
    from ponder.evaluate.mmeb.vectors import write_whole
    from ponder.evaluate.page import html_page
    from ponder.evaluate.run_folder import made

    pictures = made(out, "--out") / PICTURES

    def look(part: Compared) -> Shown:
        return shown(data, part.part, pictures)

    text = markdown(found, look, worst)
    write_whole(out / "compare.md", text.encode())
    write_whole(out / "compare.html", html_page(f"{found.before} → {found.after}", text).encode())


def _fields(found: Comparison, worst: int) -> dict[str, Any]:
    overall = found.overall
    return {
        "a": found.before,
        "b": found.after,
        "parts": [_part(part, worst) for part in found.parts],
        "only_in_a": list(found.only_before),
        "only_in_b": list(found.only_after),
        "differs": {path: [first, second] for path, first, second in found.differs},
        "overall": {"difference": overall.mean, "ci95": [overall.low, overall.high], "p": overall.p},
    }


def _part(part: Compared, worst: int) -> dict[str, Any]:
    return {
        "name": part.part.name,
        "metric": part.metric,
        "queries": part.queries,
        "only_in_a": part.only_before,
        "only_in_b": part.only_after,
        "metrics": {figure.metric: figure.fields for figure in part.figures},
        "won": len(part.won),
        "lost": len(part.lost),
        "same": part.queries - len(part.won) - len(part.lost),
        "worst": [_move(move, part.metric) for move in part.lost[:worst]],
        "best": [_move(move, part.metric) for move in part.won[:worst]],
    }


def _move(move: Move, metric: str) -> dict[str, Any]:
    return {
        "_id": move.id,
        "a": move.before.metrics[metric],
        "b": move.after.metrics[metric],
        "ranking_a": list(move.before.ranking),
        "ranking_b": list(move.after.ranking),
    }


def _show(found: Comparison) -> None:
    from ponder.evaluate.comparing.report import told

    show(f"{found.before} → {found.after}")
    rows = table("", "metric", "first", "second", "difference", "won", "lost")
    several = len(found.parts) > 1
    for part in found.parts:
        for figure in part.figures:
            counts = figure.metric == part.metric
            if several and not counts:
                continue
            moved = (str(len(part.won)), str(len(part.lost))) if counts else ("", "")
            values = (f"{figure.before:.3f}", f"{figure.after:.3f}", told(figure.difference))
            rows.add_row(part.part.name, figure.metric, *values, *moved)
    show(rows)
    for path, first, second in found.differs:
        show(f"{path}: {first or 'nothing'} → {second or 'nothing'}")
    if several:
        show(f"mean over {len(found.parts)} tasks: {told(found.overall)}")
    for name, lost in ((found.before, found.only_before), (found.after, found.only_after)):
        if lost:
            show(f"only in {name}: {', '.join(lost)}")
    for part in found.parts:
        if part.only_before or part.only_after:
            show(
                f"{part.part.name}: {part.only_before} queries only in the first, "
                f"{part.only_after} in the second"
            )
