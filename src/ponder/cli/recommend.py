"""``ponder recommend``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, quiet_stdout


def recommend(
    shelf: options.Shelf,
    like: Annotated[
        list[str], typer.Option("--like", metavar="ID", help="An item that is liked; again for more.")
    ],
    dislike: Annotated[
        list[str] | None, typer.Option("--dislike", metavar="ID", help="An item that is not; again for more.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=options.MOST_HITS, help="How many hits.")] = 10,
    budget: options.Budget = 256,
    stages: options.Stages = None,
    where: options.Filter = None,
    allocate: options.Allocate = "uniform",
    explain: Annotated[bool, typer.Option("--explain", help="As for search.")] = False,
    as_json: options.Json = False,
) -> None:
    """Find more like some items and less like others, within a token budget.

    Judges read what the reasoning about the liked items has in common.
    """
    began = time.perf_counter()
    from ponder.cascade.pacing import check_allocation
    from ponder.cli.explain import show_explanation
    from ponder.cli.present import show_ranking
    from ponder.serve.answers import explanation, ranking_json
    from ponder.shelf.opening import open_shelf

    with quiet_stdout(as_json), open_shelf(shelf, create=False) as opened:
        ranking = opened.recommend(
            like,
            dislike or (),
            k=k,
            budget=budget,
            stages=stages,
            where=where,
            allocate=check_allocation(allocate),
            explain=explain,
        )
    seconds = time.perf_counter() - began
    if as_json:
        more = {"explanation": explanation(ranking)} if explain else {}
        print_json({**ranking_json(ranking, seconds), "shared": ranking.query.text, **more})
    else:
        show_ranking(ranking)
        if explain:
            show_explanation(ranking)
