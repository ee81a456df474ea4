"""``ponder mmeb tasks``: the 78."""

from __future__ import annotations

from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, show, table


def tasks(
    everything: Annotated[
        bool, typer.Option("--all", help="The three English-only variants too, which no average counts.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List the tasks of MMEB-V2.

    With --json a list of objects: name, meta_task, modality, metric, candidate_scope, num_queries,
    in_headline_average, leaderboard_key, parser, repo, configs, split, language, media_root, gold,
    query_instruction, target_instruction, extra. The instructions of image tasks are empty: they come with
    the data.
    """
    from ponder.evaluate.mmeb.tasks import tasks as of_the_benchmark

    found = of_the_benchmark(everything=everything)
    if as_json:
        print_json([each.fields for each in found])
        return
    rows = table("meta-task", "task", "queries", "ranked over", "metric", "data")
    for each in found:
        pool = "its own pool" if each.local else "one pool"
        rows.add_row(each.meta_task, each.name, str(each.num_queries or "?"), pool, each.metric, each.repo)
    show(rows)
