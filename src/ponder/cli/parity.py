"""``ponder parity``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, quiet_stdout, show

if TYPE_CHECKING:
    from ponder.evaluate.parity import Parity

DIFFERS = 1
"""Exit code when the two do not agree."""


def parity(
    one: Annotated[str, typer.Argument(metavar="A", help="Models, as for --models.", show_default=False)],
    other: Annotated[str, typer.Argument(metavar="B", help="Others.", show_default=False)],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="A BEIR folder, or any folder of files.")
    ],
    items: Annotated[int, typer.Option(min=1, help="How many items, spread over all.")] = 16,
    score: Annotated[float, typer.Option(min=0, help="Largest difference of two scores.")] = 1e-3,
    cosine: Annotated[float, typer.Option(min=-1, max=1, help="Least cosine of two vectors.")] = 0.999,
    rank: Annotated[float, typer.Option(min=-1, max=1, help="Least rank correlation.")] = 0.99,
    as_json: options.Json = False,
) -> None:
    """Put the same inputs through two engines or precisions, and say whether they agree.

    Exit code 0 when they do, 1 when they do not: then the likeliest cause is named, prompts first.
    """
    from ponder.errors import InputNotFound, PonderError
    from ponder.evaluate.parity import Tolerance, compare, read_inputs
    from ponder.models.registry import load

    if not data.is_dir():
        raise InputNotFound("no such folder", str(data), "give --data a folder")
    with quiet_stdout(as_json):
        inputs = read_inputs(data, items)
        try:
            found = compare(load(one), load(other), inputs, Tolerance(score, cosine, rank))
        except PonderError as error:
            if as_json:
                print_json({"verdict": "failed", "error": str(error), "items": len(inputs.rows)})
            raise
    if as_json:
        print_json({**found.as_dict(), "verdict": _verdict(found)})
    else:
        _print(found)
    if not found.agrees:
        raise typer.Exit(DIFFERS)


def _verdict(found: Parity) -> str:
    return "agrees" if found.agrees else "differs"


def _print(found: Parity) -> None:
    _say(f"{_verdict(found)} on {found.items} items")
    if found.diagnosis:
        _say(f"because {found.diagnosis}")
    if found.cosine:
        _say(f"vectors: cosine at least {found.cosine[0]:.6f}, {found.cosine[1]:.6f} on average")
    for name, judge in found.judges.items():
        worst, mean = f"{judge.worst:.2e}", f"{judge.mean:.2e}"
        _say(f"{name}: scores differ by at most {worst}, {mean} on average of {judge.pairs}")
        _say(f"  rank correlation at least {judge.rank:.4f}")
        for side, answers in zip("AB", judge.answers, strict=True):
            _say(f"  {side}: {answers}")
        if judge.lost:
            _say(f"  {judge.lost} candidates were scored by one side only")
    for note in found.notes:
        _say(f"note: {note}")


def _say(line: str) -> None:
    # Prompts have brackets, which rich would take for styles.
    from rich.text import Text

    show(Text(line))
