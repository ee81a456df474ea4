"""A folder with what is to be scored: embeddings or predictions, with the labels beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.evaluate.mmeb.case_files import SHOWN, gold_of, has_vectors, one, scope_of, task_of
from ponder.evaluate.mmeb.files import Told, read_names, read_predictions
from ponder.evaluate.mmeb.judged import Judged, judge
from ponder.evaluate.mmeb.nearest import Advance
from ponder.evaluate.mmeb.official import DEEPEST
from ponder.evaluate.mmeb.parsed import Name, Parsed
from ponder.evaluate.mmeb.ranking import Ranked, Scope, Vectors, rank_global, rank_local
from ponder.evaluate.mmeb.standing import standing_of_names
from ponder.evaluate.mmeb.vectors import find_vectors, read_vectors


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be scored, checked.

    Attributes:
        told: Each query's labels.
        judged: The same, as the official evaluator takes them.
        scope: Whether queries have candidates of their own; None where nothing says.
        pool: Names of the whole pool, in order; None where they are not known.
        vectors: The embeddings; None where predictions are scored.
        notes: What is odd about it, counted: ``labels_not_in_pool``, ``queries_without_labels``,
            ``queries_with_repeated_candidates``, ``vectors_not_finite``, ``short_predictions`` (fewer names
            than metrics look at), ``predictions_with_repeated_names``, ``queries_with_problems`` (media or a
            label that the layout lacks).
    """

    told: Sequence[Told]
    judged: Sequence[Judged]
    scope: Scope | None
    pool: Sequence[Name] | None
    vectors: Vectors | None
    notes: dict[str, int] = field(default_factory=dict)

    def ranked(self, depth: int = DEEPEST, advance: Advance | None = None) -> Ranked:
        """Where the labels stand, and the first `depth` names of each ranking."""
        if self.vectors is None:
            names = [each.prediction or () for each in self.told]
            standings = [standing_of_names(n, j) for n, j in zip(names, self.judged, strict=True)]
            once = {
                row: standing_of_names(tuple(dict.fromkeys(n)), self.judged[row])
                for row, n in enumerate(names)
                if len(set(n)) < len(n)
            }
            return Ranked(standings, once, [list(each[:depth]) for each in names])
        if self.scope == "local":
            own = [each.info.cand_names for each in self.told]
            return rank_local(self.vectors, self.judged, own, depth, advance)
        return rank_global(self.vectors, self.judged, depth, advance)


def read_case(
    folder: Path, *, task: str = "", parsed: Parsed | None = None, scope: Scope | None = None
) -> Case:
    """Read and check a folder, or one file of predictions.

    Args:
        folder: A file ``TASK_pred.jsonl``, beside which the task's other files are; or a folder with ``qry``
            and ``tgt`` embeddings and ``cand_ids.json``, or with a ``_pred.jsonl``; with ``info.jsonl`` and
            ``meta.json`` unless the next two say what these would.
        task: Of the files, where the folder has several tasks'.
        parsed: The task from the official layout: labels, candidates and pool are taken from it.
        scope: Of the task, where ``meta.json`` is not there.

    Raises:
        InputNotFound: A file is missing.
        InputInvalid: A file cannot be used, or they do not fit; the message names file and line.
        BadArguments: Nothing says whether candidates are the queries' own.
    """
    named = folder if folder.is_file() else None
    if named is not None:
        folder, task = named.parent, task or task_of(named)
    elif not folder.is_dir():
        raise InputNotFound("no such folder", str(folder), "check the path")
    predictions = named or one(folder, "pred.jsonl", task)
    gold = gold_of(folder, task, parsed)
    scope = scope_of(folder, scope)
    if predictions is not None and (named or not has_vectors(folder, task)):
        return _of_predictions(folder, predictions, gold, scope, parsed)
    if gold is None:
        raise InputNotFound("no info.jsonl", str(folder), "it has the labels; or give --data and --task")
    if scope is None:
        raise BadArguments("whose are the candidates", str(folder), "give meta.json, --task or --scope")
    vectors = _vectors(folder, task, parsed, len(gold))
    notes = _notes(gold, scope, vectors.names)
    problems = sum(bool(each.problem) for each in parsed.queries) if parsed is not None else 0
    notes |= {"queries_with_problems": problems} if problems else {}
    if scope == "local":
        _in_pool(gold, set(vectors.names))
    broken = _not_finite(vectors)
    notes |= {"vectors_not_finite": broken} if broken else {}
    return Case(gold, [judge(e.info, e.where) for e in gold], scope, vectors.names, vectors, notes)


def _vectors(folder: Path, task: str, parsed: Parsed | None, queries: int) -> Vectors:
    asked, there = find_vectors(folder, "qry", task), find_vectors(folder, "tgt", task)
    left, right = read_vectors(asked), read_vectors(there)
    listed = one(folder, "cand_ids.json", task)
    if listed is None:
        raise InputNotFound("no cand_ids.json", str(folder), "it names the rows of the candidates")
    names = read_names(listed)
    if len(left) != queries:
        raise InputInvalid(f"{len(left)} vectors of {queries} queries", str(asked), "make them again")
    if len(right) != len(names):
        raise InputInvalid(f"{len(right)} vectors of {len(names)} candidates", str(there), f"see {listed}")
    if left.shape[1] != right.shape[1]:
        what = f"queries are {left.shape[1]} wide, candidates {right.shape[1]}"
        raise InputInvalid(what, str(there), "one model has to embed both")
    if parsed is None:
        return Vectors(left, right, names)
    row = {name: place for place, name in enumerate(names)}
    pool = [each.name for each in parsed.candidates]
    lost = [name for name in pool if name not in row]
    if lost:
        what = f"{len(lost)} of {len(pool)} candidates have no vector, {lost[0]!r} among them"
        raise InputInvalid(what, str(listed), "embed the whole pool")
    return Vectors(left, right[[row[name] for name in pool]], pool)


def _in_pool(gold: Sequence[Told], pool: set[Name]) -> None:
    for each in gold:
        lost = [name for name in each.info.cand_names if name not in pool]
        if lost or not each.info.cand_names:
            what = f"the candidate {lost[0]!r} is in no pool" if lost else "no candidates"
            raise InputInvalid(
                what, each.where, "the official evaluator raises here: name them in cand_ids.json"
            )


def _not_finite(vectors: Vectors) -> int:
    import numpy as np

    step = 8192
    return sum(
        int((~np.isfinite(side[start : start + step]).all(axis=1)).sum())
        for side in (vectors.queries, vectors.pool)
        for start in range(0, len(side), step)
    )


def _notes(gold: Sequence[Told], scope: Scope | None, pool: Sequence[Name] | None) -> dict[str, int]:
    there = None if pool is None else set(pool)
    counts = {"labels_not_in_pool": 0, "queries_without_labels": 0, "queries_with_repeated_candidates": 0}
    for each in gold:
        own = set(each.info.cand_names) if scope == "local" else there
        labels = set(each.info.label_names)
        counts["labels_not_in_pool"] += 0 if own is None else len(labels - own)
        counts["queries_without_labels"] += not labels
        if scope == "local":
            counts["queries_with_repeated_candidates"] += len(own or ()) < len(each.info.cand_names)
    return {name: count for name, count in counts.items() if count}


def _of_predictions(
    folder: Path, path: Path, gold: list[Told] | None, scope: Scope | None, parsed: Parsed | None
) -> Case:
    told = read_predictions(path)
    listed = folder / "cand_ids.json"
    pool: list[Name] | None = None
    if parsed is not None:
        pool = [each.name for each in parsed.candidates]
    elif listed.is_file():
        pool = read_names(listed)
    if gold is not None:
        told = _agreeing(told, gold, path)
    _same_task(told, scope, pool)
    notes = _notes(told, scope, pool)
    short = sum(len(each.prediction or ()) < min(DEEPEST, _size(each, scope, pool)) for each in told)
    twice = sum(len(set(each.prediction or ())) < len(each.prediction or ()) for each in told)
    notes |= {"short_predictions": short} if short else {}
    notes |= {"predictions_with_repeated_names": twice} if twice else {}
    return Case(told, [judge(each.info, each.where) for each in told], scope, pool, None, notes)


def _size(told: Told, scope: Scope | None, pool: Sequence[Name] | None) -> int:
    if scope == "local" and told.info.cand_names:
        return len(told.info.cand_names)
    # Of an unknown pool any ranking may be all that there is.
    return 0 if pool is None else len(pool)


def _agreeing(told: list[Told], gold: list[Told], path: Path) -> list[Told]:
    if len(told) != len(gold):
        raise InputInvalid(f"{len(told)} predictions of {len(gold)} queries", str(path), "of another task?")
    for each, right in zip(told, gold, strict=True):
        if each.info.label_names != right.info.label_names:
            what = f"labels that are not the query's: {list(each.info.label_names)[:SHOWN]}"
            raise InputInvalid(what, each.where, f"predictions of another task? see {right.where}")
    return [Told(g.info, each.where, each.prediction) for each, g in zip(told, gold, strict=True)]


def _same_task(told: Sequence[Told], scope: Scope | None, pool: Sequence[Name] | None) -> None:
    there = None if pool is None else set(pool)
    for each in told:
        own = set(each.info.cand_names) if scope == "local" and each.info.cand_names else there
        ranked = each.prediction or ()
        lost = [] if own is None else [name for name in ranked if name not in own]
        if lost:
            what = f"{len(lost)} of {len(ranked)} predictions are in no pool, {lost[0]!r} among them"
            raise InputInvalid(what, each.where, "predictions of another task?")
