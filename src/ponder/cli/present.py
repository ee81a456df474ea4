"""Rankings as the contract's JSON, and as something to read."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.adapters.hits import place_of, tokens_of
from ponder.cli.console import show, table
from ponder.errors import MissingDependency, PonderError
from ponder.records import Hit, Ranking, Skipped

if TYPE_CHECKING:
    from rich.style import Style

    from ponder.shelf.report import AddReport

_REASON_CHARS = 240
"""Of a hit's reasoning in a terminal: three lines or so; ``--json`` has it all."""


def skipped_json(skipped: tuple[Skipped, ...] | list[Skipped]) -> list[dict[str, str]]:
    """``[{"uri", "error"}]``."""
    return [{"uri": each.uri, "error": each.error} for each in skipped]


def report_json(report: AddReport, seconds: float) -> dict[str, Any]:
    """The document of ``ponder index --json``."""
    return {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "skipped": skipped_json(report.skipped),
        "ignored": report.ignored,
        "tokens": tokens_of(report.tokens),
        "seconds": round(seconds, 3),
    }


def report_line(report: AddReport, seconds: float) -> str:
    """The same, for people."""
    others = f", {report.ignored} of other types" if report.ignored else ""
    return (
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.removed} removed, {len(report.skipped)} skipped{others} in {seconds:.1f} s; "
        f"tokens: {report.tokens.read} read, {report.tokens.written} written, {report.tokens.cached} cached"
    )


def show_ranking(ranking: Ranking, *, pictures: str = "off", where: str | None = None) -> None:
    """Print hits with the reasoning that found them, each judge's moves, and the token ledger.

    A stage that failed, and that the search went on without, stands first.

    Args:
        ranking: What was found.
        pictures: "on" shows thumbnails of pictures, "auto" where the terminal can, "off" none.
        where: The filter that it was found under: where nothing was, it is that which kept nothing.
    """
    from rich.text import Text

    thumbnail = thumbnails(pictures)

    for event in ranking.trace:
        if event.failed:
            show(Text.assemble((f"{event.stage} ", "bold"), (event.what, "yellow")))

    if not ranking.hits:
        show(Text("nothing found" if where is None else f"nothing found: no item passes the filter {where}"))
        return
    for hit in ranking.hits:
        score = (f"{hit.score:.3f}  ", "cyan")
        show(Text.assemble((f"{hit.rank:>3}  ", "bold"), score, (visible(place_of(hit)), _link(hit))))
        picture = thumbnail(hit) if thumbnail else None
        if picture is not None:
            show(picture)
        for label, text, style in (("why", hit.reason, ""), ("moved", _moves(hit), _direction(hit))):
            if text:
                show(Text.assemble((f"       {label}: ", "dim"), (visible(_shortened(text)), style)))
    show_ledger(ranking)


def show_ledger(ranking: Ranking) -> None:
    """Print what each stage read, wrote and reused."""
    ledger = table("tokens", "read", "written", "cached")
    for name, usage in ranking.by_stage.items():
        ledger.add_row(name, str(usage.read), str(usage.written), str(usage.cached))
    total = ranking.usage
    ledger.add_row(
        f"{total.spent} of {ranking.budget}",
        str(total.read),
        str(total.written),
        str(total.cached),
        style="bold",
    )
    show(ledger)


def _moves(hit: Hit) -> str:
    """``retrieve 4 → ecr 2 → query-aware 1``, or "" where no stage moved it."""
    ranks = [stage.rank for stage in hit.stages]
    if len(set(ranks)) < 2:
        return ""
    return " → ".join(f"{stage.name} {stage.rank}" for stage in hit.stages)


def _direction(hit: Hit) -> str:
    """Green for what the judges raised, red for what they lowered."""
    first, last = (hit.stages[0].rank, hit.stages[-1].rank) if hit.stages else (0, 0)
    return "green" if last < first else "red" if last > first else ""


def _link(hit: Hit) -> Style:
    """To the file, for terminals that follow links."""
    from rich.style import Style

    place = hit.item.uri.partition("#")[0]
    return Style(link=Path(place).as_uri()) if place.startswith("/") else Style()


def visible(text: str) -> str:
    r"""Text without what a terminal would obey: names and reasoning may hold anything.

    Example:
        >>> visible("a\x1b[31mb\n")
        'a�[31mb�'
    """
    return "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char for char in text)


def thumbnails(pictures: str) -> Callable[[Hit], object | None] | None:
    """From a hit to a small picture of it; None where none are shown.

    Args:
        pictures: As for `show_ranking`.

    Raises:
        MissingDependency: They are asked for, and cannot be shown.
    """
    if pictures == "off" or (pictures == "auto" and not sys.stdout.isatty()):
        return None
    try:
        # Asks the terminal what it can when it is imported.
        from textual_image.renderable import Image
    except ImportError:
        if pictures == "auto":
            return None
        hint = 'pip install "ponder[terminal]"'
        raise MissingDependency("thumbnails need textual-image", "--pictures", hint) from None
    from ponder.media.images import open_image
    from ponder.media.limits import Limits

    def shown(hit: Hit) -> object | None:
        place = hit.item.uri.partition("#")[0]
        if hit.item.kind != "image" or not place:
            return None
        try:
            return Image(open_image(place, Limits(max_side=256)), width=24, height="auto")
        except PonderError:
            return None

    return shown


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_CHARS else line[: _REASON_CHARS - 1] + "…"
