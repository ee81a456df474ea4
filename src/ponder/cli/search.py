"""``ponder search``."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ponder.cli import options
from ponder.cli.console import print_json, quiet_stdout
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.records import Query

DEFAULT_BUDGET = 256
"""A middle step of the budgets that evaluation reports: the default search reasons, and stays quick."""


def search(
    shelf: options.Shelf,
    text: Annotated[str | None, typer.Argument(help="What to look for.", show_default=False)] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to look for, alone or with TEXT.")] = None,
    video: Annotated[Path | None, typer.Option(help="A clip to look for.")] = None,
    page: Annotated[str | None, typer.Option(metavar="FILE:N", help="A PDF's page to look for.")] = None,
    instruction: Annotated[str, typer.Option(help="What the search is for.")] = "",
    k: Annotated[int, typer.Option("-k", min=1, max=options.MOST_HITS, help="How many hits.")] = 10,
    budget: options.Budget = DEFAULT_BUDGET,
    stages: options.Stages = None,
    where: options.Filter = None,
    on_fault: options.OnFault = "raise",
    allocate: options.Allocate = "uniform",
    gates: options.Gates = "on",
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Say what each stage did, why it stopped, and what one more step would cost."
        ),
    ] = False,
    server: Annotated[
        Literal["auto", "off"],
        typer.Option(help="auto: ask the server that runs on this shelf, if one does."),
    ] = "auto",
    pictures: Annotated[
        Literal["auto", "on", "off"],
        typer.Option(help="Thumbnails of hits: auto where the terminal can and textual-image is installed."),
    ] = "auto",
    as_json: options.Json = False,
) -> None:
    """Search a shelf within a token budget."""
    began = time.perf_counter()
    query = _query(text, image, video, page, instruction)
    from ponder.cascade.pacing import check_allocation
    from ponder.cli.explain import show_explanation
    from ponder.cli.present import show_ranking
    from ponder.index.filters import ItemFilter
    from ponder.serve.answers import explanation, ranking_json, ranking_of
    from ponder.shelf.opening import open_shelf

    check_allocation(allocate)
    if server == "auto" and on_fault == "raise" and (as_json or not explain):
        asked = {
            "k": k,
            "budget": budget,
            "stages": stages,
            "filter": where,
            "allocate": allocate,
            "explain": explain,
            "gates": gates == "on",
        }
        found = _warm(shelf, query, asked)
        if found is not None:
            seconds = round(time.perf_counter() - began, 3)
            if as_json:
                print_json({**found, "seconds": seconds})
            else:
                show_ranking(ranking_of(found), pictures=pictures, where=where)
            return
    with quiet_stdout(as_json), open_shelf(shelf, create=False) as opened:
        if where is not None:
            # Before the models are loaded, which takes longer than reading what is wrong with it.
            ItemFilter().check(where)
        ranking = opened.search(
            query,
            k=k,
            budget=budget,
            stages=stages,
            where=where,
            on_fault=on_fault,
            allocate=check_allocation(allocate),
            explain=explain,
            gates=gates == "on",
        )
    seconds = time.perf_counter() - began
    if as_json:
        more = {"explanation": explanation(ranking)} if explain else {}
        print_json({**ranking_json(ranking, seconds), **more})
    else:
        show_ranking(ranking, pictures=pictures, where=where)
        if explain:
            show_explanation(ranking)


def _warm(shelf: Path, query: Query, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The answer of the shelf's server; None where none runs or it does not take such a query."""
    from ponder.serve import warm

    folder = shelf.expanduser().absolute()
    if query.video or query.page or not (folder / warm.NAME).is_file():
        return None
    address = warm.find(folder)
    if address is None:
        return None
    more: dict[str, Any] = {"text": query.text, "instruction": query.instruction}
    if query.image:
        try:
            data = Path(query.image).read_bytes()
        except OSError:
            return None
        more["image"] = f"data:image/*;base64,{base64.b64encode(data).decode()}"
    return warm.ask(address, {**asked, **more})


def _query(
    text: str | None, image: Path | None, video: Path | None, page: str | None, instruction: str
) -> Query:
    from ponder.records import Query

    if sum(each is not None for each in (image, video, page)) > 1:
        raise BadArguments("more than one medium", "--image, --video, --page", "give one of them")
    if not any((text and text.strip(), image, video, page)):
        raise BadArguments("empty query", "TEXT", "give some words, --image, --video or --page")
    return Query(
        text=text or "",
        image=str(image) if image else None,
        video=str(video) if video else None,
        page=_page(page) if page else None,
        instruction=instruction,
    )


def _page(value: str) -> tuple[str, int]:
    file, _, number = value.rpartition(":")
    if not file or not (number.isascii() and number.isdigit()) or int(number) < 1:
        raise BadArguments(f"not a page: {value!r}", "--page", "write FILE:N, N counted from 1")
    return file, int(number)
