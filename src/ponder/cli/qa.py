"""``ponder evaluate-qa``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ponder.cli import options
from ponder.cli.console import progress, quiet_stdout
from ponder.cli.lines import print_lines


def evaluate_qa(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", show_default=False)],
    models: options.Models = "lite",
    budget: options.Budgets = options.BUDGETS,
    reasoning: Annotated[
        Literal["on", "off", "shuffled"], typer.Option(help="As for `ponder evaluate`.")
    ] = "on",
    reason_tokens: options.ReasonTokens = None,
    as_json: options.Json = False,
) -> None:
    """Measure multiple-choice accuracy.

    Questions about pictures, pages and clips, at each token budget; `no_media` is what the questions and
    candidates alone give away.
    """
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.qa import load_quiz, run_quiz
    from ponder.evaluate.settings import Settings
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    settings = Settings(
        budgets=options.parse_budgets(budget),
        reasoning=reasoning,
        reason_tokens=reason_tokens,
    )
    quiz = load_quiz(file)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        with progress("items") as advance:
            corpus = build_corpus(quiz.items, chosen, cache, settings, advance)
        with progress("questions") as advance:
            print_lines(run_quiz(quiz, corpus, settings, advance), "accuracy", as_json)
