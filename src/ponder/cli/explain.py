"""``ponder search --explain``: what each stage did, why it stopped, and what one more step would cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ponder.cli.console import show
from ponder.cli.present import visible
from ponder.serve.answers import explanation, hit_line, next_line

if TYPE_CHECKING:
    from ponder.records import Ranking


def show_explanation(ranking: Ranking) -> None:
    """Print it."""
    from rich.text import Text

    # Files by their names; what did not come to be a hit has only its id here.
    names = {hit.item.id: Path(hit.item.uri).name for hit in ranking}
    for stage in explanation(ranking)["stages"]:
        show(Text.assemble((stage["name"], "bold"), f"  {stage['tokens']} tokens"))
        for line in stage["did"]:
            show(Text(f"    {line}"))
        for move in stage["moves"]:
            show(Text(f"    {visible(names.get(move['id'], move['id']))}: {move['what']}"))
    for hit in ranking:
        name = f"{visible(names[hit.item.id])} ({hit.item.id})"
        show(Text.assemble((f"{hit.rank:>3}  {name}  ", "bold"), hit_line(hit)))
    show(Text(f"next step: {next_line(ranking.next)}"))
