"""``ponder evaluate-qa``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.lines import measure


def evaluate_qa(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", show_default=False)],
    models: options.Models = "lite",
    budget: options.Budgets = options.BUDGETS,
    reasoning: options.Reasoning = "on",
    reason_tokens: options.ReasonTokens = None,
    run_dir: options.RunDir = None,
    as_json: options.Json = False,
) -> None:
    """Measure multiple-choice accuracy.

    Questions about pictures, pages and clips, at each token budget; `no_media` is what the questions and
    candidates alone give away.
    """
    from ponder.evaluate.qa import load_quiz, run_quiz
    from ponder.evaluate.settings import Settings

    settings = Settings(
        budgets=options.parse_budgets(budget),
        # Answers come from vectors and the chooser: no judge has a part in them.
        cascade=options.cascade_of("retrieve"),
        reasoning=reasoning,
        reason_tokens=reason_tokens,
    )
    measure(
        load_quiz(file),
        run_quiz,
        settings,
        models=models,
        metric="accuracy",
        counted=("items", "questions"),
        run_dir=run_dir,
        as_json=as_json,
    )
