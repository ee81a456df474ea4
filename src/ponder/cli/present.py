"""Rankings as the contract's JSON, and as something to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ponder.adapters.hits import place_of, tokens_of
from ponder.cli.console import show, table
from ponder.records import Hit, Ranking, Skipped

if TYPE_CHECKING:
    from ponder.shelf.report import AddReport

_REASON_CHARS = 240
"""Of a hit's reasoning in a terminal: three lines or so; ``--json`` has it all."""


def ranking_json(ranking: Ranking, seconds: float) -> dict[str, Any]:
    """The document of ``ponder search --json``."""
    by_stage = {name: tokens_of(usage) for name, usage in ranking.by_stage.items()}
    return {
        "hits": [_hit_json(hit) for hit in ranking.hits],
        "budget": ranking.budget,
        "usage": {**tokens_of(ranking.usage), "by_stage": by_stage},
        "failed": [{"stage": event.stage, "why": event.what} for event in ranking.trace if event.failed],
        "seconds": round(seconds, 3),
    }


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
        "tokens": tokens_of(report.tokens),
        "seconds": round(seconds, 3),
    }


def report_line(report: AddReport, seconds: float) -> str:
    """The same, for people."""
    return (
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.removed} removed, {len(report.skipped)} skipped in {seconds:.1f} s; "
        f"tokens: {report.tokens.read} read, {report.tokens.written} written, {report.tokens.cached} cached"
    )


def show_ranking(ranking: Ranking) -> None:
    """Print hits with the reasoning that found them, each judge's moves, and the token ledger.

    A stage that failed, and that the search went on without, stands first.
    """
    from rich.text import Text

    for event in ranking.trace:
        if event.failed:
            show(Text.assemble((f"{event.stage} ", "bold"), (event.what, "yellow")))

    if not ranking.hits:
        show(Text("nothing found"))
        return
    for hit in ranking.hits:
        heading = Text.assemble((f"{hit.rank:>3}  ", "bold"), (f"{hit.score:.3f}  ", "cyan"), place_of(hit))
        show(heading)
        for label, text in (("why", hit.reason), ("moved", _moves(hit))):
            if text:
                show(Text.assemble((f"       {label}: ", "dim"), _shortened(text)))
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


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.item.id,
        "uri": place_of(hit),
        "kind": hit.item.kind,
        "rank": hit.rank,
        "score": hit.score,
        "part": hit.part,
        "reasoning": hit.reason,
        "passage": hit.passage,
        "stages": [
            {"name": stage.name, "score": stage.score, "rank": stage.rank, "note": stage.note}
            for stage in hit.stages
        ],
    }


def _moves(hit: Hit) -> str:
    """``retrieve 4 → ecr 2 → query-aware 1``, or "" where no stage moved it."""
    ranks = [stage.rank for stage in hit.stages]
    if len(set(ranks)) < 2:
        return ""
    return " → ".join(f"{stage.name} {stage.rank}" for stage in hit.stages)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_CHARS else line[: _REASON_CHARS - 1] + "…"
