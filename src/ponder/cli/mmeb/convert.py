"""``ponder mmeb convert``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, show
from ponder.errors import BadArguments

SIDES = ("_qry", "_tgt")


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TASK_qry or TASK_tgt.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder.", show_default=False)],
    as_json: options.Json = False,
) -> None:
    """Turn the official evaluator's pickled embeddings into safetensors, without running them.

    Anything but arrays, numbers, strings, lists and dictionaries is refused. The candidates' names go into
    TASK_cand_ids.json.
    """
    from ponder.evaluate.mmeb.pickles import read_pickle
    from ponder.evaluate.mmeb.vectors import write_vectors, write_whole

    stem = file.name.removesuffix(".pkl").removesuffix(".pickle")
    side = next((each for each in SIDES if stem.endswith(each) or stem == each[1:]), None)
    if side is None:
        raise BadArguments("neither queries nor candidates", str(file), "name it TASK_qry or TASK_tgt")
    found = read_pickle(file)
    path = out / f"{stem}.safetensors"
    write_vectors(path, found.rows)
    if found.names is not None:
        names = out / f"{stem.removesuffix(side[1:])}cand_ids.json"
        write_whole(names, json.dumps(list(found.names)).encode())
    if as_json:
        print_json({"path": str(path), "rows": len(found.rows), "width": found.rows.shape[1]})
    else:
        show(f"{len(found.rows)} vectors of {found.rows.shape[1]} values: {path}")
