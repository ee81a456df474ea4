"""Transformers' trainer over lists of documents, with the losses of `ponder.train.ranking`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ponder.train.checkpoints import TrainingFolder
from ponder.train.planned import Advance, planned
from ponder.train.ranking import Lists, ranking_loss
from ponder.train.reranker_data import Listed
from ponder.train.reranker_settings import RerankerSettings
from ponder.train.running import Pace, finished, following
from ponder.train.scorers import Scorer
from ponder.train.stream import Stream


def make_ranking(
    scorer: Scorer,
    lists: Sequence[Listed],
    settings: RerankerSettings,
    folder: TrainingFolder,
    order: Stream,
    pace: Pace,
    advance: Advance,
    stop_after: int,
) -> Any:
    """A trainer of transformers; a step's loss is the mean over its pieces, each piece's over its queries.

    Args:
        scorer: The judge.
        lists: What it learns from.
        settings: Which losses.
        folder: Where checkpoints and the log go.
        order: Of the lists.
        pace: How fast.
        advance: Told how far it is.
        stop_after: As for `ponder.train.running.Pace.schedule`.
    """
    import torch
    import transformers

    loud: Any = transformers
    schedule = pace.schedule(order, stop_after)

    def collate(rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        some = [lists[row["row"]] for row in rows]
        features, start = [], 0
        for each in some:
            for places, taken in scorer.features(each.content(), each.candidates):
                features.append(([start + place for place in places], taken))
            start += len(each.candidates)
        return {
            "features": features,
            "sizes": tuple(len(each.candidates) for each in some),
            "gains": torch.tensor([gain for each in some for gain in each.gains]),
            "scores": torch.tensor([score for each in some for score in each.scores]),
        }

    class Ranking(planned(loud.Trainer, folder, schedule, collate)):  # type: ignore[misc]
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            known = Lists(inputs["sizes"], inputs["gains"], inputs["scores"])
            return ranking_loss(
                model(inputs["features"]),
                known,
                labels=settings.loss,
                distill=settings.distill,
                weight=settings.weight,
            )

    trainer = Ranking(
        model=scorer.module(),
        args=loud.TrainingArguments(**pace.arguments(folder, order)),
        train_dataset=schedule.rows,
        callbacks=following(folder, schedule, advance),
    )
    trainer.model_accepts_loss_kwargs = False
    return finished(trainer)
