"""``ponder mteb``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, quiet_stdout, show, table
from ponder.cli.partly import finish


def mteb(
    tasks: Annotated[
        list[str],
        typer.Argument(metavar="TASK…", help="Names of mteb's tasks, or BEIR folders.", show_default=False),
    ],
    models: options.Models = "lite",
    budget: options.Budget = 0,
    stages: options.Stages = None,
    allocate: options.Allocate = "uniform",
    split: Annotated[str, typer.Option(help="Of BEIR folders, and of what --beir writes.")] = "test",
    out: Annotated[
        Path | None, typer.Option(help="Where mteb keeps its results; its own cache unless told.")
    ] = None,
    beir: Annotated[
        Path | None, typer.Option("--beir", help="Run nothing: write each task here as a BEIR folder.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Run retrieval tasks of mteb through a cascade; mteb scores them and writes its own results' JSON.

    A task that is there for the same models, budget and stages is not run again.
    """
    from ponder.cascade.pacing import check_allocation
    from ponder.evaluate.mteb import MtebSearch
    from ponder.evaluate.mteb.rows import need_mteb
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    library = need_mteb()
    if beir is not None:
        _write(tasks, split, beir, as_json)
        return
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = [_task(name, split) for name in tasks]
        model = MtebSearch(
            load(models, cache=cache),
            cache,
            budget=budget,
            cascade=options.cascade_of(stages),
            allocate=check_allocation(allocate),
        )
        found = library.evaluate(
            model,
            chosen,
            cache=library.ResultCache(out) if out else library.ResultCache(),
            co2_tracker=False,
            show_progress_bar=not as_json,
        )
        rows = [
            _row(result, split, scores) for result in found.task_results for split, scores in _each(result)
        ]
        if as_json:
            for row in rows:
                print_json(row)
    if not as_json:
        shown = table("task", "split", "subset", "main score", "hit@1", "ndcg@10")
        for row in rows:
            shown.add_row(
                row["task"],
                row["split"],
                row["subset"],
                *(f"{row['metrics'][name]:.4f}" for name in ("main_score", "hit_rate_at_1", "ndcg_at_10")),
            )
        show(shown)
    finish([{"uri": each.uri, "error": each.error} for each in model.skipped])


def _write(names: list[str], split: str, out: Path, as_json: bool) -> None:
    from ponder.evaluate.mteb import write_task

    for name in names:
        with quiet_stdout(as_json):
            task = _task(name, split)
            folder = out / task.metadata.name
            written = write_task(task, folder, split=split)
        if as_json:
            counts = {"documents": written.documents, "queries": written.queries}
            print_json({"task": task.metadata.name, "path": str(folder), **counts})
        else:
            show(f"{written.documents} documents and {written.queries} queries: {folder}")


def _task(name: str, split: str) -> Any:
    from ponder.errors import InputNotFound
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.mteb import beir_task
    from ponder.evaluate.mteb.rows import need_mteb

    if Path(name).is_dir():
        return beir_task(load_beir(Path(name), split=split))
    try:
        return need_mteb().get_task(name)
    except KeyError as error:
        raise InputNotFound("no such task or folder", name, str(error.args[0])[:200]) from error


def _each(result: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(split, scores) for split, all_ in result.scores.items() for scores in all_]


def _row(result: Any, split: str, scores: dict[str, Any]) -> dict[str, Any]:
    # Some of mteb's figures are NaN where there is nothing to measure, which JSON has no word for.
    metrics = {
        name: value
        for name, value in scores.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }
    return {"task": result.task_name, "split": split, "subset": scores["hf_subset"], "metrics": metrics}
