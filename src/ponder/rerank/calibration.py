"""What was measured about judges on data with judgements: weights, chances, and on what.

Made by ``ponder calibrate`` (`ponder.evaluate.calibrating`), read by every search with the same judges.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from ponder.errors import InputInvalid, InputNotFound
from ponder.protocols import Calibrates, Models
from ponder.records import Gate, Kind, Trust
from ponder.rerank.chances import Curve, curve_from

VERSION = 1

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Fit:
    """One judge on one kind of candidate.

    Attributes:
        stage: The stage's name.
        kind: Of the candidates.
        judge: The judge's fingerprint.
        weight: Of its scores beside the earlier stage's; 0 where it is not to be asked.
        swing: Standard deviation of its scores over a query's candidates.
        measure: What was gained is told in this measure.
        gain: Mean gain over the earlier stage, with weights fitted on other queries; then its 95 % interval.
        queries: Number of queries behind it.
        tokens: Mean tokens a query, read and written.
        sets: Names of the data sets.
        centred: Whether `curve` takes scores less their mean over the query's candidates.
        curve: From score to probability; None where nothing can be told apart.
        why: In words.
        gate: When the judge is not asked all the same; None for always.
        width: Swings by which a candidate may lie behind the leader and still be worth judging.
        width_last: The same where no later stage has anything to say of the query; None for `width`.
        stretch: Its scores' deviation in units of what the judge tells of itself (`JudgesApart.swing`), which
            may differ from query to query; None for a judge that tells nothing, or nothing that is known.
    """

    stage: str
    kind: Kind
    judge: str
    weight: float
    swing: float
    measure: str
    gain: tuple[float, float, float]
    queries: int
    tokens: float
    sets: tuple[str, ...]
    centred: bool
    curve: Curve | None
    why: str
    gate: Gate | None = None
    width: float = 1.25
    width_last: float | None = None
    stretch: float | None = None

    @property
    def trust(self) -> Trust:
        """What a search needs of it."""
        return Trust(self.weight, self.swing, self.why, self.gate, self.width, self.width_last, self.stretch)

    def fields(self) -> dict[str, Any]:
        """For a file."""
        plain = (
            "stage",
            "kind",
            "judge",
            "weight",
            "swing",
            "measure",
            "queries",
            "tokens",
            "centred",
            "why",
            "width",
            "width_last",
            "stretch",
        )
        curve = self.curve.fields() if self.curve else None
        told = {name: getattr(self, name) for name in plain}
        gate = asdict(self.gate) if self.gate else None
        return {**told, "gain": list(self.gain), "sets": list(self.sets), "curve": curve, "gate": gate}


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured about the judges of a set of models: `ponder.protocols.Calibrates`.

    Attributes:
        fits: One a stage, judge and kind.
        embedder: Fingerprint of the embedder whose scores the judges' were weighed against; "" for any.
        made: Command, versions, time and the like, for people.

    Example:
        >>> Calibration(()).trust("ecr", "some-judge", "image") is None
        True
    """

    fits: tuple[Fit, ...]
    embedder: str = ""
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Hash of all that is used."""
        told = json.dumps([self.embedder, *(fit.fields() for fit in self.fits)], sort_keys=True)
        return f"calibration-{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def find(self, stage: str, judge: str, kind: Kind) -> Fit | None:
        """The fit of just this judge."""
        return next((f for f in self.fits if (f.stage, f.judge, f.kind) == (stage, judge, kind)), None)

    def trust(self, stage: str, judge: str, kind: Kind) -> Trust | None:
        """See `ponder.protocols.Calibrates`."""
        fit = self.find(stage, judge, kind)
        return None if fit is None else fit.trust

    def chance(self, stage: str, judge: str, kind: Kind, score: float, mean: float) -> float | None:
        """See `ponder.protocols.Calibrates`."""
        fit = self.find(stage, judge, kind)
        if fit is None or fit.curve is None:
            return None
        return fit.curve.chance(score - mean if fit.centred else score)

    def fields(self) -> dict[str, Any]:
        """As in the file."""
        fits = [fit.fields() for fit in self.fits]
        return {"version": VERSION, "embedder": self.embedder, "made": self.made, "fits": fits}

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        half = path.with_name(f"{path.name}.half")
        half.write_text(json.dumps(self.fields(), indent=1) + "\n", encoding="utf-8")
        half.replace(path)


class CalibratedModels:
    """A set of models with what was measured about its judges; otherwise as it was.

    Args:
        models: The set.
        calibration: Takes the place of the set's own, if it has one.
    """

    def __init__(self, models: Models, calibration: Calibrates) -> None:
        self.name, self.reason_tokens = models.name, models.reason_tokens
        self.reasoner, self.embedder, self.rerankers = models.reasoner, models.embedder, models.rerankers
        self.calibration: Calibrates | None = calibration


def read_calibration(path: Path) -> Calibration:
    """Read a file that `Calibration.save` wrote.

    Raises:
        InputNotFound: There is none.
        InputInvalid: It holds something else; says which fit and what.
    """
    hint = "make it anew with ponder calibrate"
    try:
        told = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputNotFound("no such calibration", str(path), hint) from None
    except (OSError, ValueError) as error:
        raise InputInvalid(f"no calibration: {error}", str(path), hint) from error
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise InputInvalid("no calibration of this version", str(path), hint)
    rows = told.get("fits")
    if not isinstance(rows, list):
        raise InputInvalid("fits: expected a list", str(path), hint)
    fits = []
    for number, row in enumerate(rows):
        try:
            fits.append(_fit(row))
        except (KeyError, TypeError, ValueError) as error:
            raise InputInvalid(f"fits[{number}]: {type(error).__name__}: {error}", str(path), hint) from error
    made = told.get("made")
    return Calibration(tuple(fits), str(told.get("embedder", "")), made if isinstance(made, dict) else {})


def _fit(row: dict[str, Any]) -> Fit:
    mean, low, high = (_number(value) for value in row["gain"])
    weight, swing = _number(row["weight"]), _number(row["swing"])
    if weight < 0 or swing < 0:
        raise ValueError("a weight or a swing is below 0")
    kind = _one_of(KINDS, row["kind"])
    return Fit(
        stage=str(row["stage"]),
        kind=kind,
        judge=str(row["judge"]),
        weight=weight,
        swing=swing,
        measure=str(row["measure"]),
        gain=(mean, low, high),
        queries=int(row["queries"]),
        tokens=_number(row["tokens"]),
        sets=tuple(str(name) for name in row["sets"]),
        centred=bool(row["centred"]),
        curve=None if row["curve"] is None else curve_from(row["curve"]),
        why=str(row["why"]),
        gate=None if row["gate"] is None else _gate(row["gate"]),
        width=_number(row["width"]),
        # Files from before 2026-11-26 hold neither.
        width_last=_number_or_none(row.get("width_last")),
        stretch=_number_or_none(row.get("stretch")),
    )


def _gate(row: dict[str, Any]) -> Gate:
    return Gate(str(row["signal"]), bool(row["above"]), _number(row["threshold"]), str(row["why"]))


def _one_of(known: Sequence[Kind], name: object) -> Kind:
    for each in known:
        if each == name:
            return each
    raise ValueError(f"unknown kind {name!r}")


def _number(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no finite number")
    return number


def _number_or_none(value: object) -> float | None:
    return None if value is None else _number(value)
