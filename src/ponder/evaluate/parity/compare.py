"""The same inputs through two sets of models: how far apart they are."""

from __future__ import annotations

from statistics import fmean

from ponder.errors import BackendFailed, InputInvalid
from ponder.evaluate.parity.diagnosis import guessed, told
from ponder.evaluate.parity.found import JudgeParity, Parity, Tolerance
from ponder.evaluate.parity.inputs import Inputs
from ponder.evaluate.parity.prompts import Difference, between, first_difference
from ponder.models.engine import ShowsReading
from ponder.protocols import Embedder, Models
from ponder.records import Candidate
from ponder.rerank.pointwise import PointwiseJudge

PLENTY = 10**9


def compare(one: Models, other: Models, inputs: Inputs, tolerance: Tolerance | None = None) -> Parity:
    """Compare embedders and the judges that both sides have.

    Raises:
        BackendFailed: A side gives no scores at all.
    """
    tolerance = tolerance or Tolerance()
    cosine, notes = _cosine(one, other, inputs)
    judges = {}
    for name in sorted(set(one.rerankers) & set(other.rerankers)):
        left, right = one.rerankers[name], other.rerankers[name]
        if not (isinstance(left, PointwiseJudge) and isinstance(right, PointwiseJudge)):
            notes.append(f"{name}: only judges that ask about one candidate at a time are compared")
            continue
        # What is written before judging differs between any two sides, and each would read its own.
        judges[name] = _judge(left.plain(), right.plain(), inputs)
    notes += inputs.skipped
    if cosine is None and not judges:
        raise InputInvalid("the two have nothing in common", f"{one.name}, {other.name}", "see the notes")
    bad = {
        name: judge
        for name, judge in judges.items()
        if judge.worst > tolerance.score or judge.rank < tolerance.rank or judge.lost
    }
    apart = cosine is not None and cosine[0] < tolerance.cosine
    reads = embedders_difference(one.embedder, other.embedder, inputs)
    diagnosis = told(judges, reads)
    agrees = not (bad or apart or diagnosis)
    if not agrees and not diagnosis:
        worst = [judge.worst for judge in bad.values()] or [1 - cosine[0] if cosine else 0.0]
        diagnosis = guessed((one, other), max(worst), "scores" if bad else "vectors")
    return Parity(agrees, diagnosis, len(inputs.rows), cosine, judges, reads, tuple(notes))


def embedders_difference(one: Embedder, other: Embedder, inputs: Inputs) -> Difference | None:
    """Where two embedders read an item differently first; None if nowhere, or if one cannot show it."""
    if not (isinstance(one, ShowsReading) and isinstance(other, ShowsReading)):
        return None
    for content, row in zip(inputs.contents, inputs.rows, strict=True):
        found = between(one.reading(content, row.reasoning), other.reading(content, row.reasoning))
        if found:
            return found
    return None


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
    ranks, lost, prompts = [1.0], 0, None
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
        prompts = prompts or first_difference(one, other, query, candidates)
    answers = (_answers(one), _answers(other))
    worst = max(differences, default=0.0)
    mean = fmean(differences) if differences else 0.0
    return JudgeParity(worst, mean, min(ranks), len(differences), lost, prompts, answers)


def _answers(judge: PointwiseJudge) -> str:
    """The answers, with their token ids where the engine runs here."""
    answers = getattr(judge.question, "answers", ())
    token = getattr(judge.engine, "token", None)
    if token is None:
        return ", ".join(map(repr, answers))
    return ", ".join(f"{answer!r} is token {token(answer)}" for answer in answers)
