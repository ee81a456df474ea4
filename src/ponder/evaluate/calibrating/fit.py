"""Calibrating a cascade's judges on data sets with judgements, and trying that on the set left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ponder.cascade import Rerank
from ponder.evaluate.bootstrap import Difference, paired_difference
from ponder.evaluate.calibrating.blocks import Advance, Block, Judged
from ponder.evaluate.calibrating.curves import fit_curve
from ponder.evaluate.calibrating.gates import fit_gate
from ponder.evaluate.calibrating.weights import stretch_of, weigh
from ponder.evaluate.calibrating.widths import fit_width
from ponder.evaluate.harm import harmless
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.records import Kind
from ponder.rerank.calibration import KINDS, Calibration, Fit


def calibrate(
    sets: Sequence[Judged], measures: Mapping[str, str], advance: Advance | None = None
) -> Calibration:
    """Measure the judges of a cascade, stage after stage: each sees what those before it leave.

    Args:
        sets: Data sets whose cascades have the same stages; each judge is asked about whole blocks, with no
            limit of tokens.
        measures: Each data set's main measure, by its name.
        advance: Called with (queries done, queries in all), over all stages.

    Returns:
        A calibration for just these judges.

    Raises:
        InputInvalid: A data set without a query that can be opened.
    """
    fits: list[Fit] = []
    embedder = sets[0].corpus.models.embedder.fingerprint
    stages = [stage for stage in sets[0].cascade.stages if isinstance(stage, Rerank)]
    done, everyone = 0, len(stages) * sum(len(each.dataset.queries) for each in sets)

    def passed(queries: int, _: int) -> None:
        if advance:
            advance(done + queries, everyone)

    seen: dict[str, dict[str, list[Block]]] = {}
    for stage in stages:
        known = Calibration(tuple(fits), embedder)
        blocks = seen[stage.name] = {}
        for each in sets:
            blocks[each.dataset.name] = each.blocks(stage, known, passed)
            done += len(each.dataset.queries)
        fits += _fits(stage, sets[0].recorders[stage.name].fingerprint, blocks, measures)
    fits = [_with_widths(fit, fits[place + 1 :], seen, measures) for place, fit in enumerate(fits)]
    return Calibration(tuple(fits), embedder)


_PASSED_ON = "ndcg@10"
"""What a race before another stage must not lose: that stage chooses among those that it is handed."""


def _with_widths(
    fit: Fit,
    later: Sequence[Fit],
    seen: Mapping[str, Mapping[str, Sequence[Block]]],
    measures: Mapping[str, str],
) -> Fit:
    """With the width of a race that is the last word, and of one that hands its order on.

    Each is fitted on the queries that it is used for: of some a later judge says nothing.
    """
    stages = {each.stage for each in later if each.kind == fit.kind and each.weight} - {fit.stage}
    blocks = {name: [b for b in each if fit.kind in b.kinds] for name, each in seen[fit.stage].items()}
    say = {
        (name, b.query) for stage in stages for name, each in seen[stage].items() for b in each if _says(b)
    }
    on = {name: [b for b in each if (name, b.query) in say] for name, each in blocks.items()}
    last = {name: [b for b in each if (name, b.query) not in say] for name, each in blocks.items()}

    def least(of: Mapping[str, Sequence[Block]], what: Mapping[str, str]) -> float:
        return fit_width(of, fit.kind, fit.trust, what)

    own = least(last if any(last.values()) else on, measures)
    if not any(on.values()):
        return replace(fit, width=own, width_last=own)
    passed = least(on, dict.fromkeys(measures, _PASSED_ON))
    return replace(fit, width=max(least(on, measures), passed), width_last=own)


def _says(block: Block) -> bool:
    return any(said is not None for said in block.said)


def _fits(
    stage: Rerank, judge: str, blocks: Mapping[str, Sequence[Block]], measures: Mapping[str, str]
) -> Iterator[Fit]:
    everyone = [block for each in blocks.values() for block in each]
    kinds = sorted({kind for block in everyone for kind in block.kinds})
    weights: dict[Kind, float] = {}
    for kind in kinds:
        found = weigh(blocks, kind, weights, measures)
        if found is None:
            continue
        weights[kind] = found.weight
        theirs = {name: [b for b in each if kind in b.kinds] for name, each in blocks.items()}
        names = tuple(name for name, each in theirs.items() if each)
        seen = [block for each in theirs.values() for block in each]
        curve, centred = fit_curve(seen, kind)
        stretch = stretch_of(seen, kind)
        yield Fit(
            stage=stage.name,
            kind=kind,
            judge=judge,
            weight=float(f"{found.weight:.4g}"),
            swing=float(f"{found.swing:.4g}"),
            measure=", ".join(dict.fromkeys(measures[name] for name in names)),
            gain=(round(found.gain.mean, 4), round(found.gain.low, 4), round(found.gain.high, 4)),
            queries=found.queries,
            tokens=round(sum(block.tokens for block in seen) / len(seen), 1),
            sets=names,
            centred=centred,
            curve=curve,
            why=found.why,
            stretch=None if stretch is None else float(f"{stretch:.6g}"),
            gate=fit_gate(blocks, kind, {kind: found.weight}, measures) if found.weight else None,
        )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A data set under a calibration that was not fitted on it.

    Attributes:
        name: Of the data set.
        measure: Its main measure.
        budget: Tokens a query.
        plain: Without tokens.
        value: With them.
        gain: Paired, over plain retrieval.
        harmless: Whether `value` is not below `plain` by more than noise lets it.
        weights: By stage and kind: the weight that the other sets gave, or "prior".
    """

    name: str
    measure: str
    budget: int
    plain: float
    value: float
    gain: Difference
    harmless: bool
    weights: Mapping[str, str]

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        gain = {"mean": self.gain.mean, "low": self.gain.low, "high": self.gain.high}
        told = ("name", "measure", "budget", "plain", "value", "harmless")
        return {**{k: getattr(self, k) for k in told}, "gain": gain, "weights": dict(self.weights)}


def leave_one_out(
    sets: Sequence[Judged], measures: Mapping[str, str], budgets: Sequence[int]
) -> Iterator[LeftOut]:
    """Each data set under what the others give: a kind that none of them holds falls to the prior.

    Args:
        sets: As for `calibrate`, two or more.
        measures: As for `calibrate`.
        budgets: Above 0.
    """
    for out in sets:
        known = calibrate([each for each in sets if each is not out], measures)
        yield from tried_on(out, known, measures[out.dataset.name], budgets)


def tried_on(out: Judged, known: Calibration, measure: str, budgets: Sequence[int]) -> Iterator[LeftOut]:
    """A data set searched with a calibration, at each budget."""
    settings = Settings(budgets=(0, *budgets), cascade=out.cascade)
    corpus = replace(out.corpus, models=replace(out.corpus.models, calibration=known))
    runs = list(run_budgets(out.dataset, corpus, settings))
    plain = [outcome.scores[measure] for outcome in runs[0].outcomes]
    for run in runs[1:]:
        values = [outcome.scores[measure] for outcome in run.outcomes]
        before, after = sum(plain) / len(plain), sum(values) / len(values)
        yield LeftOut(
            out.dataset.name,
            measure,
            run.budget,
            round(before, 6),
            round(after, 6),
            paired_difference(values, plain),
            harmless(before, after, len(plain)),
            _weights(out, known),
        )


def _weights(out: Judged, known: Calibration) -> dict[str, str]:
    there = out.corpus.index.counts()
    found = {}
    for name, recorder in out.recorders.items():
        for kind in (kind for kind in KINDS if kind in there):
            fit = known.find(name, recorder.fingerprint, kind)
            found[f"{name}, {kind}"] = "prior" if fit is None else f"{fit.weight:.4g}"
    return found
