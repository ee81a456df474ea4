"""``ponder mmeb``: the benchmark of the paper, a file for each sub-command."""

from __future__ import annotations

import typer

from ponder.cli.mmeb import beir, convert, report, run, score, show, tasks, verify

app = typer.Typer(help="Run and score MMEB-V2: 78 tasks of pictures, videos and document pages.")
app.command("tasks")(tasks.tasks)
app.command("verify")(verify.verify)
app.command("show")(show.show)
app.command("run")(run.run)
app.command("score")(score.score)
app.command("report")(report.report)
app.command("convert")(convert.convert)
app.command("beir")(beir.beir)
