"""What a person says of pairs: read, checked, applied, and kept so that it survives mining again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.feedback.mined import files_of, pairs_at
from ponder.train.pairs import DECISIONS, Decision, Pair, made_of, read_pairs, spelt, writing

FORMAT = "ponder-corrections-1"

LABELLED: tuple[Decision, ...] = ("positive", "suspect-positive")
"""What a labelled document can be said to be: right, or not to be learned from."""

UNLABELLED: tuple[Decision, ...] = ("positive", "false-negative", "hard-negative", "easy")
"""What another one can be said to be: another answer, to be spared, to be learned from, or to be left out."""

Key = tuple[str, str]
Corrections = Mapping[Key, Decision]


def choices(pair: Pair) -> tuple[Decision, ...]:
    """What a pair can be corrected to."""
    return LABELLED if pair.grade > 0 else UNLABELLED


def read_corrections(file: Path) -> Corrections:
    """By query and document what a person decided; the last of two counts.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: It is not what ``ponder mine --review`` gives.
    """
    try:
        told = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise InputNotFound("no corrections here", str(file), error.strerror or "") from error
    except ValueError as error:
        raise InputInvalid("not JSON", str(file), str(error)) from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        hint = "give the corrections.json that the page of ponder mine --review saves"
        raise InputInvalid("no corrections", str(file), hint)
    rows = told.get("corrections")
    if not isinstance(rows, list):
        raise InputInvalid("no list of corrections", f"{file}: corrections", "save the page's file again")
    known = {name: each for each in DECISIONS for name in (each, spelt(each))}
    out: dict[Key, Decision] = {}
    for number, row in enumerate(rows):
        where = f"{file}: corrections[{number}]"
        names = ("query_id", "doc_id", "decision")
        if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in names):
            raise InputInvalid("not a correction", where, f"it needs {', '.join(names)}, all texts")
        if row["decision"] not in known:
            hint = f"known: {', '.join(spelt(each) for each in dict.fromkeys((*LABELLED, *UNLABELLED)))}"
            raise InputInvalid(f"unknown decision {row['decision']!r}", where, hint)
        out[row["query_id"], row["doc_id"]] = known[row["decision"]]
    return out


def as_json(corrections: Corrections) -> dict[str, Any]:
    """As `read_corrections` reads it, and the page writes it."""
    return {
        "format": FORMAT,
        "corrections": [
            {"query_id": query, "doc_id": document, "decision": spelt(decision)}
            for (query, document), decision in sorted(corrections.items())
        ],
    }


def correct(pairs: Path, corrections: Corrections) -> int:
    """Take corrections back: applied to pairs, and kept beside them for when they are mined again.

    Args:
        pairs: A file, or what ``ponder mine --out`` made.
        corrections: Of these pairs.

    Returns:
        Pairs that are decided otherwise now than before.

    Raises:
        InputInvalid: A correction is of no pair here, or not one that it can have; nothing is changed.
    """
    every = (pair for file in files_of(pairs) for pair in read_pairs(file))
    named = (((pair.query_id, pair.document_id), pair) for pair in every)
    there = {key: pair for key, pair in named if key in corrections}
    for key, decision in corrections.items():
        where = f"query {key[0]}, document {key[1]}"
        if key not in there:
            raise InputInvalid("no such pair", where, f"{pairs} has none; were these other pairs?")
        if decision not in choices(there[key]):
            said = ", ".join(spelt(each) for each in choices(there[key]))
            labelled = "labelled" if there[key].grade > 0 else "not labelled"
            raise InputInvalid(f"{spelt(decision)} does not fit", where, f"it is {labelled}: {said}")
    keeper = _keeper(pairs)
    told = json.dumps(as_json({**corrections_of(pairs), **corrections}), indent=1) + "\n"
    partial = keeper.with_name(f".{keeper.name}.partial")
    partial.write_text(told, encoding="utf-8")
    partial.replace(keeper)
    return apply(pairs, corrections)


def corrections_of(pairs: Path) -> Corrections:
    """Those that are kept beside pairs; none if there are none."""
    keeper = _keeper(pairs)
    return read_corrections(keeper) if keeper.is_file() else {}


def apply(pairs: Path, corrections: Corrections) -> int:
    """Put corrections into pairs, file by file; those of pairs that are gone wait.

    Returns:
        Pairs that changed.
    """
    changed = 0
    for file in files_of(pairs):
        if all(_corrected(pair, corrections) == pair for pair in read_pairs(file)):
            continue
        with writing(file, made_of(file)) as out:
            for pair in read_pairs(file):
                other = _corrected(pair, corrections)
                changed += other.decision != pair.decision
                out.add([other])
    return changed


def _corrected(pair: Pair, corrections: Corrections) -> Pair:
    decision = corrections.get((pair.query_id, pair.document_id))
    if decision is None or (pair.decided_by == "review" and pair.decision == decision):
        return pair
    if decision not in choices(pair):
        # Its label is another one than when it was corrected.
        return pair
    why = pair.why if pair.decided_by == "review" else f"a person; was {spelt(pair.decision)}: {pair.why}"
    return replace(pair, decision=decision, why=why, decided_by="review")


def _keeper(pairs: Path) -> Path:
    """One place, whether `pairs` is what ``--out`` named or the parts in it; either may be called "pairs"."""
    if pairs.suffix == ".parquet":
        return pairs.with_name(pairs.name + ".corrections.json")
    parts = pairs_at(pairs.absolute())
    parts = parts.resolve() if parts.name == ".." else parts
    return (parts.parent if parts.name == "pairs" else parts) / "corrections.json"
