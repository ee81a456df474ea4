"""The same inputs through two sets of models: how far apart they are, and what it most likely comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from ponder.errors import BackendFailed, InputInvalid, PonderError
from ponder.evaluate.prompts import Difference, first_difference
from ponder.media.content import open_content, open_query
from ponder.media.excerpt import first_words
from ponder.media.limits import Limits
from ponder.protocols import Models
from ponder.records import Candidate, Content, Embedded, Item, PartReasoning, Query, Reasoning, Row
from ponder.rerank.pointwise import PointwiseJudge

PLENTY = 10**9
QUERIES = 4


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What still counts as the same.

    Attributes:
        score: Largest difference of two scores; 1e-3 of a probability is what float32 kernels of different
            libraries leave.
        cosine: Least cosine of two vectors.
        rank: Least rank correlation (Spearman) of a query's candidates.
    """

    score: float = 1e-3
    cosine: float = 0.999
    rank: float = 0.99


@dataclass(frozen=True, slots=True)
class JudgeParity:
    """One stage on both sides.

    Attributes:
        worst: Largest difference of scores.
        mean: Mean difference of scores.
        rank: Least rank correlation over the queries; 1 where all scores of one are equal.
        pairs: Scores that both sides gave.
        lost: Candidates that only one side scored.
        prompts: Where prompts differ; None where they do not, or where a side cannot show them.
        answers: The answers and their token ids, by side.
    """

    worst: float
    mean: float
    rank: float
    pairs: int
    lost: int
    prompts: Difference | None
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parity:
    """All of it.

    Attributes:
        agrees: The verdict.
        diagnosis: The likeliest cause of a difference, "" when they agree.
        items: Inputs that were compared.
        cosine: Least and mean cosine of the items' vectors; None where they cannot be compared.
        judges: By stage name.
        notes: What could not be compared, and why.
    """

    agrees: bool
    diagnosis: str
    items: int
    cosine: tuple[float, float] | None
    judges: Mapping[str, JudgeParity]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What both sides get.

    Attributes:
        rows: Items as an index would store them, their own words as reasoning.
        contents: The same, opened.
        queries: To judge them by.
    """

    rows: tuple[Row, ...]
    contents: tuple[Content, ...]
    queries: tuple[Content, ...]
    skipped: tuple[str, ...] = field(default=())


def read_inputs(folder: Path, count: int) -> Inputs:
    """Items and queries of a data set (BEIR with media), or of any folder of files.

    Args:
        folder: Where they are.
        count: How many items, at most, spread over all.

    Raises:
        InputInvalid: Nothing in it can be opened.
    """
    limits = Limits()
    items, asked = _items(folder, limits)
    step = max(1, len(items) // max(1, count))
    rows, contents, skipped = [], [], []
    for item in items[::step][:count]:
        try:
            content = open_content(item, limits)
        except PonderError as error:
            skipped.append(f"{item.uri or item.id}: {error.what}")
            continue
        text = content.text or f"A {content.kind}."
        reasoning = Reasoning(text, (PartReasoning("", text),))
        rows.append(Row(item, reasoning, _nothing(), content.digest))
        contents.append(content)
    if not contents:
        raise InputInvalid(
            "nothing in it can be opened", str(folder), "give a folder of files, or a data set"
        )
    queries = asked or [Query(text=first_words(content.text, 12)) for content in contents if content.text]
    opened = [open_query(query, limits) for query in (queries or [Query(text="a picture")])[:QUERIES]]
    return Inputs(tuple(rows), tuple(contents), tuple(opened), tuple(skipped))


def compare(one: Models, other: Models, inputs: Inputs, tolerance: Tolerance | None = None) -> Parity:
    """Compare embedders and the judges that both sides have.

    Raises:
        BackendFailed: A side gives no scores at all.
    """
    tolerance = tolerance or Tolerance()
    cosine, notes = _cosine(one, other, inputs)
    judges = {}
    for name in sorted(set(one.rerankers) & set(other.rerankers)):
        pair = one.rerankers[name], other.rerankers[name]
        if not all(isinstance(judge, PointwiseJudge) for judge in pair):
            notes.append(f"{name}: only judges of one candidate at a time are compared")
            continue
        judges[name] = _judge(*pair, inputs)  # type: ignore[arg-type]
    notes += inputs.skipped
    if cosine is None and not judges:
        raise InputInvalid("the two have nothing in common", f"{one.name}, {other.name}", "see the notes")
    bad = {
        name: judge
        for name, judge in judges.items()
        if judge.worst > tolerance.score or judge.rank < tolerance.rank or judge.lost
    }
    apart = cosine is not None and cosine[0] < tolerance.cosine
    agrees = not bad and not apart
    # A prompt that differs is told even where scores happen to agree: on other inputs they will not.
    told = any(judge.prompts for judge in judges.values())
    diagnosis = "" if agrees and not told else _diagnosis(judges, bad, apart, (one, other))
    return Parity(agrees and not told, diagnosis, len(inputs.rows), cosine, judges, tuple(notes))


def _items(folder: Path, limits: Limits) -> tuple[list[Item], list[Query]]:
    if (folder / "corpus.jsonl").is_file():
        from ponder.evaluate.beir import load_beir

        dataset = load_beir(folder)
        return list(dataset.items), [judged.query for judged in dataset.queries[:QUERIES]]
    from ponder.media.items import items_of
    from ponder.media.scan import scan

    return [item for source in scan([folder], limits=limits).sources for item in items_of(source, limits)], []


def _cosine(one: Models, other: Models, inputs: Inputs) -> tuple[tuple[float, float] | None, list[str]]:
    if one.embedder.dim != other.embedder.dim:
        dims = f"{one.embedder.dim} and {other.embedder.dim}"
        return None, [f"vectors are not compared: they have {dims} dimensions"]
    reasonings = [row.reasoning for row in inputs.rows]
    sides = [models.embedder.embed_documents(inputs.contents, reasonings) for models in (one, other)]
    found = [float(a.vectors[0] @ b.vectors[0]) for a, b in zip(*sides, strict=True)]
    return (min(found), fmean(found)), []


def _judge(one: PointwiseJudge, other: PointwiseJudge, inputs: Inputs) -> JudgeParity:
    from scipy.stats import spearmanr

    candidates = [Candidate(row, "", 0.0, rank) for rank, row in enumerate(inputs.rows, start=1)]
    differences: list[float] = []
    ranks, lost, told = [1.0], 0, None
    for query in inputs.queries:
        tables = []
        for judge in (one, other):
            verdicts = judge.rerank(query, candidates, limit=PLENTY).verdicts
            tables.append({v.id: v.score for v in verdicts if v.score is not None})
            if not tables[-1]:
                why = next((v.note for v in verdicts if v.note), "no verdicts")
                raise BackendFailed(f"it gave no scores: {why}", judge.engine.fingerprint, "see the engine")
        both = sorted(set(tables[0]) & set(tables[1]))
        lost += len(set(tables[0]) ^ set(tables[1]))
        left, right = ([table[id_] for id_ in both] for table in tables)
        differences += [abs(a - b) for a, b in zip(left, right, strict=True)]
        if len(set(left)) > 1 and len(set(right)) > 1:
            ranks.append(float(spearmanr(left, right).statistic))
        told = told or first_difference(one, other, query, candidates)
    answers = (_answers(one), _answers(other))
    worst = max(differences, default=0.0)
    mean = fmean(differences) if differences else 0.0
    return JudgeParity(worst, mean, min(ranks), len(differences), lost, told, answers)


def _answers(judge: PointwiseJudge) -> str:
    """The answers, with their token ids where the engine runs here."""
    answers = getattr(judge.question, "answers", ())
    token = getattr(judge.engine, "token", None)
    if token is None:
        return ", ".join(map(repr, answers))
    return ", ".join(f"{answer!r} is token {token(answer)}" for answer in answers)


def _diagnosis(
    judges: Mapping[str, JudgeParity],
    bad: Mapping[str, JudgeParity],
    apart: bool,
    sides: tuple[Models, Models],
) -> str:
    for name, judge in judges.items():
        if judge.prompts is not None:
            return f"{name}: {judge.prompts}"
    for name, judge in bad.items():
        first, second = judge.answers
        if _words(first) != _words(second) or ("token" in first and "token" in second and first != second):
            return f"{name}: the answers' tokens differ: {first}; {second}"
    types = [_dtype(models) for models in sides]
    if "" in types:
        return (
            "one side shows neither its prompts nor its precision, and they are equally long: see that both "
            "have the same template, weights and precision"
        )
    if types[0] != types[1]:
        return f"the precision differs: {types[0]} and {types[1]}"
    what = "vectors" if apart and not bad else "scores"
    return f"prompts and answers are the same, and {what} differ: other weights, an adapter, or other kernels"


def _words(answers: str) -> list[str]:
    return answers.split("'")[1::2]


def _dtype(models: Models) -> str:
    for judge in models.rerankers.values():
        engine = getattr(judge, "engine", None)
        loaded = getattr(engine, "loaded", None)
        if loaded is not None:
            return str(loaded.model.dtype).removeprefix("torch.")
    return ""


def _nothing() -> Embedded:
    import numpy as np

    return Embedded(("",), np.zeros((1, 1), np.float32))
