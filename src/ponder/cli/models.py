"""``ponder models list|pull|verify``: the presets and the weights behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, quiet_stdout, show, table
from ponder.errors import InputInvalid, MissingDependency

if TYPE_CHECKING:
    from ponder.models.weights import WeightState

app = typer.Typer(help="List, fetch and check model weights.")

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="Weights, or a preset for all of its weights; unless given, all but the optional.",
        show_default=False,
    ),
]


@app.command("list")
def list_models(as_json: options.Json = False) -> None:
    """What there is, and what of it is on this machine."""
    from ponder.models.registry import names
    from ponder.models.weights import list_weights

    found = list_weights()
    if as_json:
        print_json({"presets": names(), "weights": [_fields(state) for state in found]})
        return
    show(f"presets: {', '.join(names())}")
    _print(found)


@app.command()
def pull(name: Name = None, as_json: options.Json = False) -> None:
    """Fetch weights that are not here, and replace damaged ones."""
    from ponder.models.weights import pull as pull_weights

    with quiet_stdout(as_json):
        found = [pull_weights(each, lambda line: typer.echo(line, err=True)) for each in _chosen(name)]
    _report(found, as_json)


@app.command()
def verify(name: Name = None, as_json: options.Json = False) -> None:
    """Hash every file and compare it with what was pulled."""
    from ponder.models.weights import verify as verify_weights

    found = [verify_weights(each) for each in _chosen(name)]
    _report(found, as_json)
    damaged = [state.pin.name for state in found if state.present and state.problems]
    if damaged:
        raise InputInvalid("damaged weights", ", ".join(damaged), "run `ponder models pull`")
    absent = [state.pin.name for state in found if not state.present]
    if absent:
        raise MissingDependency("weights are not here", ", ".join(absent), "run `ponder models pull`")


def _chosen(name: str | None) -> list[str]:
    from ponder.models.pins import pins
    from ponder.models.registry import names

    if name is None or name in names():
        return [pin.name for pin in pins().values() if not pin.optional]
    return [name]


def _report(found: list[WeightState], as_json: bool) -> None:
    if as_json:
        print_json({"weights": [_fields(state) for state in found]})
    else:
        _print(found)


def _fields(state: WeightState) -> dict[str, Any]:
    return {
        "name": state.pin.name,
        "source": state.pin.source,
        "licence": state.pin.licence,
        "folder": str(state.folder),
        "present": state.present,
        "bytes": state.bytes,
        "problems": list(state.problems),
    }


def _print(found: list[WeightState]) -> None:
    rows = table("weights", "state", "MB", "licence", "source")
    for state in found:
        condition = "; ".join(state.problems) or "here"
        rows.add_row(
            state.pin.name, condition, f"{state.bytes / 1e6:.0f}", state.pin.licence, state.pin.source
        )
    show(rows)
