"""How trainings tell what came of them, or what they would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.cli.console import print_json, show, table
from ponder.cli.present import skipped_json

if TYPE_CHECKING:
    from ponder.records import Skipped
    from ponder.train.pricing import Price
    from ponder.train.running import Outcome


def fields(outcome: Outcome, out: Path) -> dict[str, Any]:
    """An outcome as JSON."""
    return {
        "done": outcome.done,
        "steps": outcome.steps,
        "total": outcome.total,
        "losses": list(outcome.losses),
        "model": str(out / "model") if outcome.done else None,
        "preset": str(out / "preset.yaml") if outcome.done else None,
    }


def left_out(found: Sequence[Skipped]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """What could not be trained on, and what was not to be, as ``{"uri", "error"}`` objects."""
    failed = [each for each in found if not each.chosen]
    return skipped_json(failed), skipped_json([each for each in found if each.chosen])


def show_outcome(outcome: Outcome, out: Path) -> None:
    """An outcome for people."""
    if not outcome.done:
        show(f"stopped after {outcome.steps} of {outcome.total} steps: the same command goes on")
        return
    if outcome.losses:
        show(f"loss {outcome.losses[0]:.4f} at first, {outcome.losses[-1]:.4f} at the end")
    show(f"{outcome.total} steps: {out / 'model'}; use it: --models {out / 'preset.yaml'}")


def show_before_after(
    before: Mapping[str, Mapping[str, float]],
    after: Mapping[str, Mapping[str, float]],
    measures: Sequence[str],
) -> None:
    """Dev's figures, a line before and a line after for each data set; nothing without dev."""
    if not after:
        return
    rows = table("dev", "", *measures)
    for name in after:
        for when, scores in (("before", before[name]), ("after", after[name])):
            rows.add_row(name, when, *(f"{scores[each]:.3f}" for each in measures))
    show(rows)


def price(found: Price, *, as_json: bool) -> None:
    """What ``--dry-run`` says."""
    if as_json:
        print_json(asdict(found))
        return
    rows = table("what", "how much")
    rows.add_row("examples", str(found.examples))
    rows.add_row("steps", str(found.steps))
    rows.add_row("tokens", f"{found.tokens:,}, longest example {found.longest:,}")
    rows.add_row("trained parameters", f"{found.trained:,}")
    for name, size in found.memory.items():
        rows.add_row(f"memory for {name}", f"{size / 2**30:.2f} GiB")
    rows.add_row("memory", f"{sum(found.memory.values()) / 2**30:.2f} GiB")
    rows.add_row("time", f"{found.seconds / 60:.1f} min at {found.tflops:.2f} TFLOP/s")
    show(rows)
