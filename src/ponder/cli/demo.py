"""``ponder demo``: the bundled collection, indexed and searched."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show
from ponder.cli.partly import finish
from ponder.errors import InputInvalid

if TYPE_CHECKING:
    from ponder.records import Query, Ranking
    from ponder.shelf.shelf import Shelf

_HITS = 3


@dataclass(frozen=True, slots=True)
class DemoSearch:
    """One of the searches in ``searches.yaml``.

    Attributes:
        title: What it shows.
        query: What is asked.
        budget: In tokens.
        expect: Items, relative to the collection, of which one should be found.
        within: Among how many hits.
        why: What is remarkable about it.
    """

    title: str
    query: Query
    budget: int
    expect: tuple[str, ...]
    within: int
    why: str


def demo(
    shelf: Annotated[
        Path | None, typer.Option(help="Where to put the shelf; the user's data folder.", show_default=False)
    ] = None,
    models: options.Models = "lite",
    as_json: options.Json = False,
) -> None:
    """Index and search the bundled files.

    Each search shows its hits, the reasoning that found them, and the token ledger.
    """
    from ponder.cli.index import DEFAULT_WORKERS
    from ponder.cli.present import report_json, report_line, skipped_json

    began = time.perf_counter()
    folder = Path(__file__).parents[1] / "demo"
    collection = folder / "collection"
    with quiet_stdout(as_json), _open(shelf, models) as opened:
        with progress("indexing") as advance:
            report = opened.add(
                collection,
                workers=DEFAULT_WORKERS,
                progress=lambda done, total, skipped: advance(done, total),
            )
        if not as_json:
            typer.echo(f"{collection}: {report_line(report, report.seconds)}")
        results = []
        for each in read_searches(folder / "searches.yaml"):
            ranking = opened.search(each.query, k=max(_HITS, each.within), budget=each.budget)
            results.append(_result(each, ranking, collection))
            if not as_json:
                _show(each, ranking, results[-1]["found"])
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            {"index": report_json(report, report.seconds), "searches": results, "seconds": round(seconds, 3)}
        )
    else:
        found = sum(result["found"] for result in results)
        typer.echo(f"{found} of {len(results)} searches found what they should; {seconds:.1f} s in all")
    finish(skipped_json(report.skipped))


def read_searches(path: Path) -> list[DemoSearch]:
    """The searches of a file like ``searches.yaml``; pictures are relative to it."""
    import yaml

    from ponder.records import Query

    return [
        DemoSearch(
            title=row["title"],
            query=Query(
                text=row.get("text", ""), image=str(path.parent / row["image"]) if "image" in row else None
            ),
            budget=row["budget"],
            expect=tuple(row["expect"]),
            within=row["within"],
            why=" ".join(row["why"].split()),
        )
        for row in yaml.safe_load(path.read_text("utf-8"))
    ]


def _open(shelf: Path | None, models: str) -> Shelf:
    from ponder.shelf.opening import open_shelf

    if shelf is not None:
        return open_shelf(shelf, models)
    import platformdirs

    own = Path(platformdirs.user_data_dir("ponder", appauthor=False)) / f"demo-{models}"
    try:
        return open_shelf(own, models)
    except InputInvalid as error:
        # Ours, made by an earlier version: nothing in it that cannot be made again.
        typer.echo(f"making the demo's shelf anew: {error.what}", err=True)
        shutil.rmtree(own)
        return open_shelf(own, models)


def _result(search: DemoSearch, ranking: Ranking, collection: Path) -> dict[str, Any]:
    from ponder.serve.answers import ranking_json

    wanted = {f"{collection / name}" for name in search.expect}
    found = any(hit.item.uri in wanted for hit in ranking.hits[: search.within])
    about = {"title": search.title, "text": search.query.text, "image": search.query.image, "why": search.why}
    return {**about, "found": found, **ranking_json(ranking, ranking.seconds)}


def _show(search: DemoSearch, ranking: Ranking, found: bool) -> None:
    from dataclasses import replace

    from rich.rule import Rule
    from rich.text import Text

    from ponder.cli.present import show_ranking

    show(Rule(search.title, align="left"))
    asked = " + ".join(part for part in (search.query.image, search.query.text) if part)
    show(Text.assemble((f"{asked}\n", "bold"), (search.why, "dim")))
    show_ranking(replace(ranking, hits=ranking.hits[:_HITS]))
    show(Text("found" if found else "not found", style="green" if found else "red"))
