"""``ponder evaluate-moments``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.lines import measure


def evaluate_moments(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", show_default=False)],
    models: options.Models = "lite",
    budget: options.Budgets = options.BUDGETS,
    stages: options.Stages = None,
    reasoning: options.Reasoning = "on",
    reason_tokens: options.ReasonTokens = None,
    run_dir: options.RunDir = None,
    as_json: options.Json = False,
) -> None:
    """Measure how well moments are found.

    hit@1 over the segments of each query's clip, at each token budget; `no_media` is what guessing would get.
    """
    from ponder.evaluate.moments import load_moments, run_moments
    from ponder.evaluate.settings import Settings

    settings = Settings(
        budgets=options.parse_budgets(budget),
        cascade=options.cascade_of(stages),
        reasoning=reasoning,
        reason_tokens=reason_tokens,
    )
    measure(
        load_moments(file),
        run_moments,
        settings,
        models=models,
        metric="hit@1",
        counted=("segments", "queries"),
        run_dir=run_dir,
        as_json=as_json,
    )
