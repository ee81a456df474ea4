"""``ponder search --explain``: what each stage did, why it stopped, and what one more step would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ponder.cli.console import show
from ponder.serve.answers import explanation, hit_line, next_line

if TYPE_CHECKING:
    from ponder.records import Ranking


def show_explanation(ranking: Ranking) -> None:
    """Print it."""
    from rich.text import Text

    for stage in explanation(ranking)["stages"]:
        show(Text.assemble((stage["name"], "bold"), f"  {stage['tokens']} tokens"))
        for line in stage["did"]:
            show(Text(f"    {line}"))
        for move in stage["moves"]:
            show(Text(f"    {move['id']}: {move['what']}"))
    for hit in ranking:
        show(Text.assemble((f"{hit.rank:>3}  {hit.item.id}  ", "bold"), hit_line(hit)))
    show(Text(f"next step: {next_line(ranking.next)}"))
