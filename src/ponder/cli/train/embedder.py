"""``ponder train embedder``."""

from __future__ import annotations

from ponder.cli import options as general
from ponder.cli.train import options


def embedder(
    folders: options.Folders,
    out: options.Out,
    split: options.Split = "train",
    pairs: options.Pairs = None,
    models: general.Models = "lite",
    base: options.Base = None,
    seed: options.Seed = 0,
    fresh: options.Fresh = False,
    dry_run: options.DryRun = False,
    as_json: general.Json = False,
) -> None:
    """Fine-tune an embedding model of sentence-transformers by contrast with what was mined."""
    raise NotImplementedError
