"""``ponder train``: a sub-command for each kind of part, a file for each sub-command."""

from __future__ import annotations

import typer

from ponder.cli.train import adapter, embedder, head, reasoner, reranker

app = typer.Typer(help="Train a part of a set of models on what was labelled and mined.")
app.command("embedder")(embedder.embedder)
app.command("adapter")(adapter.adapter)
app.command("reasoner")(reasoner.reasoner)
app.command("reranker")(reranker.reranker)
app.command("head")(head.head)
