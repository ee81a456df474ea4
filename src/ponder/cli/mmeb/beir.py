"""``ponder mmeb beir``: a task as a BEIR folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show
from ponder.cli.mmeb.show import Data
from ponder.cli.partly import finish
from ponder.errors import BadArguments


def beir(
    data: Data,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task's name.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.", show_default=False)],
    as_json: options.Json = False,
) -> None:
    """Write a task whose queries share one pool as a BEIR folder, with its media and qrels/test.tsv.

    Queries are called by their places in the task, from 0; a candidate keeps its name where a TREC run can
    carry it. Queries that cannot be asked as meant are left out, and listed.
    """
    from ponder.evaluate.beir_writing import write_beir
    from ponder.evaluate.mmeb.asking import asking
    from ponder.evaluate.mmeb.loading import load
    from ponder.evaluate.mmeb.tasks import task_named

    wanted = task_named(task)
    if wanted.local:
        raise BadArguments(
            "each of its queries has a pool of its own, which BEIR has no word for",
            wanted.name,
            "`ponder mmeb run` ranks each over its own",
        )
    with quiet_stdout(as_json), progress(f"{wanted.name}: media") as advance:
        loaded = load(data, wanted, advance=advance)
        told = asking(wanted.name, loaded.parsed, loaded.root, local=False)
        names = {id_: str(name) for id_, name in told.names.items()}
        lost = {id_ for id_, each in zip(names, loaded.parsed.candidates, strict=True) if each.problem}
        whole = [question for question in told.questions if not question.problem]
        qrels = {}
        for question in whole:
            info = loaded.parsed.queries[question.number].info
            grades = info.rel_scores or (1,) * len(info.label_names)
            qrels[str(question.number)] = {
                str(name): int(grade) for name, grade in zip(info.label_names, grades, strict=True)
            }
        written = write_beir(
            out,
            (replace(item, id=names[item.id], instruction="") for item in told.items if item.id not in lost),
            (replace(question.asked, id=str(question.number)) for question in whole),
            qrels,
            split="test",
        )
    skipped = [
        {"uri": f"query {question.number}", "error": question.problem}
        for question in told.questions
        if question.problem
    ]
    if as_json:
        counts = {"documents": written.documents, "queries": written.queries}
        print_json({"path": str(out), **counts, "judgements": written.judgements, "skipped": skipped})
    else:
        show(f"{written.documents} documents and {written.queries} queries: {out}")
    finish(skipped)
