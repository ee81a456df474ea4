"""``--on``: from its options to a fleet, what the fleet tells meanwhile, and what it took."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.spread.maker import Spread
    from ponder.spread.needs import Event

SHARD_SECONDS = 1800.0
"""As `ponder.spread.needs.Needs.seconds`."""


def spread_of(
    on: str,
    *,
    actors: int | None = None,
    gpus: float = 0.0,
    seconds: float = SHARD_SECONDS,
    spool: Path | None = None,
    threads: int = 1,
) -> Spread | None:
    """Who makes the rows; None where this process does.

    Raises:
        BadArguments: ``--on`` cannot be read, or workers are told of without it.
        MissingDependency: Ray is not installed.
    """
    if on == "local":
        if actors is not None or gpus or spool is not None:
            raise BadArguments(
                "workers are told of, and nobody hires any",
                "--actors, --actor-gpus, --spool",
                "give --on ray",
            )
        return None
    from ponder.spread.cluster import address_of, ray_module
    from ponder.spread.maker import Spread
    from ponder.spread.needs import Needs

    address = address_of(on)
    assert address is not None
    ray_module()
    needs = Needs(workers=actors, gpus=gpus, seconds=seconds)
    return Spread(address, needs, threads, spool.expanduser() if spool else None, events=_tell)


def tell_costs(spread: Spread | None) -> None:
    """What the fleet took, on stderr."""
    if spread is not None and spread.costs.workers:
        typer.echo(spread.costs.line(), err=True)


def _tell(event: Event) -> None:
    if event.what in ("lost", "late", "refused", "failed"):
        shard = "" if event.shard is None else f", shard {event.shard} is tried again"
        typer.echo(f"worker {event.worker or '(new)'} {event.what}{shard}: {event.why}", err=True)
