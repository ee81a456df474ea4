"""``ponder mmeb score``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, show, table
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.evaluate.mmeb.case import Case
    from ponder.evaluate.mmeb.parsed import Parsed
    from ponder.evaluate.mmeb.ranking import Ranked, Scope
    from ponder.evaluate.mmeb.score import Scored

DEPTH = 100
"""Names of a ranking that are written: ten times what metrics look at, and no file of gigabytes."""

_SHOWN = ("hit@1", "hit@5", "ndcg_linear@5", "ndcg_linear@10", "recall@10", "map@10", "mrr@10")


def score(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="CASE_DIR",
            help="qry.npy, tgt.npy, cand_ids.json, info.jsonl, meta.json; or a _pred.jsonl.",
            show_default=False,
        ),
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="Labels and pool from this data directory, for --task.")
    ] = None,
    task: Annotated[str, typer.Option("--task", help="One of the tasks, where CASE_DIR has several.")] = "",
    scope: Annotated[
        str, typer.Option("--scope", help="global or local, where no meta.json and no task says so.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write TASK_pred.jsonl, _info.jsonl and _score.json here.")
    ] = None,
    depth: Annotated[int, typer.Option(min=1, help="Names of each ranking in _pred.jsonl.")] = DEPTH,
    as_json: options.Json = False,
) -> None:
    """Score a task from embeddings or predictions, as the official evaluator does.

    Where that has no single answer, for ties or for grades of string labels, the range is listed, and ties
    keep the candidates' order; "ties_against" has every tie resolved against the gold.
    """
    from ponder.evaluate.mmeb.case import read_case
    from ponder.evaluate.mmeb.case_files import task_of
    from ponder.evaluate.mmeb.score import score as scored_of

    if folder.is_file():
        task = task or task_of(folder)
    case = read_case(folder, task=task, parsed=_parsed(data, task), scope=_scope(scope, task))
    with progress("queries") as advance:
        ranked = case.ranked(depth, advance)
    scored = scored_of(ranked, case.judged, scores_known=case.vectors is not None)
    if out is not None:
        _write(out, task or folder.resolve().name, case, ranked, scored)
    if as_json:
        print_json({**scored.fields, "candidate_scope": case.scope, "notes": case.notes})
        return
    _show(scored, case)


def _parsed(data: Path | None, task: str) -> Parsed | None:
    """Labels and pool from the official layout; its pages are not written, as nothing is opened."""
    if data is None:
        return None
    if not task:
        raise BadArguments("no task", "--data", "name one with --task")
    from ponder.evaluate.mmeb.loading import load
    from ponder.evaluate.mmeb.tasks import task_named

    return load(data, task_named(task), write=False).parsed


def _scope(given: str, task: str) -> Scope | None:
    if given:
        if given not in ("global", "local"):
            raise BadArguments(f"not a scope: {given!r}", "--scope", "global or local")
        return "global" if given == "global" else "local"
    if not task:
        return None
    from ponder.evaluate.mmeb.tasks import tasks

    return next((each.candidate_scope for each in tasks(everything=True) if each.name == task), None)


def _write(out: Path, name: str, case: Case, ranked: Ranked, scored: Scored) -> None:
    from ponder.evaluate.mmeb.files import write_info, write_predictions, write_score

    infos = [each.info for each in case.told]
    write_info(out / f"{name}_info.jsonl", infos)
    write_predictions(out / f"{name}_pred.jsonl", ranked.predictions, infos)
    write_score(out / f"{name}_score.json", scored, more={"notes": case.notes})


def _show(scored: Scored, case: Case) -> None:
    ranges = {each.metric: each for each in scored.ambiguous}
    rows = table("metric", "official", "ties against", "least-greatest", "textbook")
    for name in _SHOWN:
        span = ranges.get(name)
        rows.add_row(
            name,
            _figure(scored.metrics[name]),
            _figure(None if scored.ties_against is None else scored.ties_against[name]),
            f"{span.least:.4f}-{span.greatest:.4f}" if span else "",
            _figure(scored.textbook.get(name)),
        )
    show(f"{len(case.told)} queries, {case.scope or 'unknown'} candidates")
    show(rows)
    for why in dict.fromkeys(each.why for each in scored.ambiguous):
        show(f"not well defined: {why}")
    notes: dict[str, Any] = case.notes
    for what, count in notes.items():
        show(f"{what.replace('_', ' ')}: {count}")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
