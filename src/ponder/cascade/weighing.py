"""How far a judge's word counts beside the earlier stage's: measured, told, or by a prior that is safe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ponder.cascade.pacing import WIDTH
from ponder.cascade.stages import Rerank
from ponder.cascade.standing import Standing
from ponder.protocols import Calibrated, Calibrates, Models, Reranker
from ponder.records import Kind, Trust
from ponder.rerank.fusion import Fused, centred, fuse, spread_of, usable

PRIOR = 0.7
"""A judge that nobody has measured moves candidates no further, in standard deviations, than .7 of how far
the earlier stage set them apart. The same choice is best with any of our sets left out (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """Weights for one stage's judge.

    The stage's own ``weight`` comes first; then what a calibration of just this judge says of the
    candidate's kind; then the judge's own weight, held back by `PRIOR`: a score may be a probability, a
    logit or anything, and one who shouts is not for that reason right.

    Args:
        stage: The stage.
        judge: Who judges.
        calibration: What was measured, if anything was.
        signals: Of the query, for gates; empty where they are off.
    """

    stage: Rerank
    judge: Reranker
    calibration: Calibrates | None = None
    signals: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, stage: Rerank, models: Models, signals: Mapping[str, float] | None = None) -> Weighing:
        """The weighing of a stage with the judge and the calibration of these models.

        A calibration beside another embedder's scores counts for nothing.
        """
        known = models.calibration if isinstance(models, Calibrated) else None
        if known is not None and known.embedder not in ("", models.embedder.fingerprint):
            known = None
        return cls(stage, stage.judge(models), known, signals or {})

    def refused(self, kind: Kind) -> str:
        """Why the judge is not asked about this kind; "" if it is."""
        trust = self._trust(kind)
        if self.stage.weight is not None or trust is None:
            return ""
        if trust.weight == 0:
            return trust.why
        gate = trust.gate
        if gate is None or not gate.shut(self.signals):
            return ""
        return gate.told(self.signals)

    def asked(self, block: Sequence[Standing]) -> list[Standing]:
        """Those whose kind the judge is asked about."""
        return [each for each in block if not self.refused(each.row.item.kind)]

    def swing(self, block: Sequence[Standing], kind: Kind, said: float) -> float:
        """How far a verdict moves a candidate: measured, or what the judge `said` of itself; may be inf."""
        trust, weight = self._trust(kind), self._known(kind)
        swing = said if trust is None else measured_swing(trust, said)
        if weight is not None:
            return weight * swing
        own = self.judge.weight * swing
        # What is estimated from verdicts is held back when they are there. Nobody knows how the scores of a
        # judge that was never measured are distributed: a race is to end later, not earlier, for that.
        most = 2 * PRIOR * spread_of([each.score for each in block])
        return min(own, most) if math.isfinite(own) else own

    def width(self, kind: Kind, *, last: bool = False) -> float:
        """Swings by which a candidate may lie behind and still be judged: measured, or the default.

        Args:
            kind: Of the candidates.
            last: Whether no later stage has anything to say of the query.
        """
        known = self._trust(kind)
        if known is None:
            return WIDTH
        return known.width_last if last and known.width_last is not None else known.width

    def weighted(self, block: Sequence[Standing], scores: Sequence[float | None]) -> list[float | None]:
        """A judge's scores as they are added: less the mean of their kind, times its weight.

        Args:
            block: Candidates as the earlier stage left them.
            scores: Of each; None, or what is not `usable`, for one that was not judged.
        """
        kinds = [each.row.item.kind for each in block]
        found = [score if usable(score) else None for score in centred(scores, kinds)]
        spread = spread_of([each.score for each in block])
        for kind in dict.fromkeys(kinds):
            said = {p: s for p, s in enumerate(found) if s is not None and kinds[p] == kind}
            weight = self._known(kind)
            if weight is None:
                moved = self.judge.weight * spread_of(list(said.values()))
                weight = self.judge.weight * (min(1.0, PRIOR * spread / moved) if moved else 1.0)
            for place, score in said.items():
                found[place] = weight * score
        return found

    def fused(self, block: Sequence[Standing], scores: Sequence[float | None], floor: float | None) -> Fused:
        """The block's new order. Scores that a stage stretches are weighed as the stage or the judge says.

        Args:
            block: As for `weighted`.
            scores: As for `weighted`.
            floor: As for `ponder.rerank.fusion.fuse`.
        """
        earlier = [each.score for each in block]
        if self.stage.normalise == "raw":
            return fuse(earlier, self.weighted(block, scores), 1.0, floor=floor)
        verdicts = centred(scores, [each.row.item.kind for each in block])
        weight = self.stage.weigh(self.judge)
        return fuse(earlier, verdicts, weight, normalise=self.stage.normalise, floor=floor)

    def chances(self, block: Sequence[Standing], scores: Sequence[float | None]) -> list[float | None]:
        """Probability of relevance of each candidate, by the calibration; None where that is not known."""
        kinds = [each.row.item.kind for each in block]
        found: list[float | None] = []
        for kind, score, less in zip(kinds, scores, centred(scores, kinds), strict=True):
            if self.calibration is None or score is None or less is None or not usable(score):
                found.append(None)
                continue
            judge = self.judge.fingerprint
            found.append(self.calibration.chance(self.stage.name, judge, kind, score, score - less))
        return found

    def _trust(self, kind: Kind) -> Trust | None:
        if self.calibration is None:
            return None
        return self.calibration.trust(self.stage.name, self.judge.fingerprint, kind)

    def _known(self, kind: Kind) -> float | None:
        """The weight where it is told or measured."""
        if self.stage.weight is not None:
            return self.stage.weight
        known = self._trust(kind)
        return known.weight if known else None


def measured_swing(trust: Trust, said: float | None) -> float:
    """How far a judge's scores of a query's candidates lie apart, before they are weighed.

    Args:
        trust: What was measured. One deviation for all queries is wrong for a judge that says less of some
            than of others: where it tells so itself, its own word is stretched to what was measured.
        said: By the judge of this query; None or inf where it does not know.

    Example:
        >>> measured_swing(Trust(1.0, 0.1, "on a set", stretch=2.0), 0.02)
        0.04
        >>> measured_swing(Trust(1.0, 0.1, "on a set"), 0.02)
        0.1
    """
    if trust.stretch is None or said is None or not math.isfinite(said):
        return trust.swing
    return trust.stretch * said
