"""A student learns to write: supervised fine-tuning on the answers' tokens, with transformers' trainer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ponder.train.checkpoints import TrainingFolder
from ponder.train.planned import Advance, planned
from ponder.train.running import Pace, finished, following
from ponder.train.stacks import Line, groups, negative_log_likelihood, stack
from ponder.train.stream import Stream
from ponder.train.student import Student


class Lessons(Protocol):
    """Gives the lines of lessons."""

    def of(self, place: int) -> list[Line]:
        """Of one lesson."""
        ...


def make_writing(
    student: Student,
    lines: Lessons,
    folder: TrainingFolder,
    order: Stream,
    pace: Pace,
    advance: Advance,
    stop_after: int,
) -> Any:
    """A trainer of transformers: -log P of each answer's tokens, each token of a step counting alike.

    Args:
        student: The model.
        lines: Prompts and answers.
        folder: Where checkpoints and the log go.
        order: Of the lessons.
        pace: How fast.
        advance: Told how far it is.
        stop_after: As for `ponder.train.running.Pace.schedule`.
    """
    import torch
    import transformers

    loud: Any = transformers
    loaded = student.loaded
    schedule = pace.schedule(order, stop_after)

    def collate(rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        found = [line for row in rows for line in lines.of(row["row"])]
        labels = torch.tensor([token for line in found for token in line.answer])
        stacks = [stack(loaded, [found[place] for place in some]) for some in groups(found)]
        # By these two names the library counts the tokens of a step.
        return {"stacks": stacks, "labels": labels, "shift_labels": labels}

    follows = planned(loud.Trainer, folder, schedule, collate)

    class Writing(follows):  # type: ignore[misc, valid-type]
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            losses = [negative_log_likelihood(model, each) for each in inputs["stacks"]]
            return torch.stack(losses).sum() / num_items_in_batch

    trainer = Writing(
        model=loaded.model,
        args=loud.TrainingArguments(**pace.arguments(folder, order)),
        train_dataset=schedule.rows,
        callbacks=following(folder, schedule, advance),
    )
    trainer.model_accepts_loss_kwargs = True
    return finished(trainer)
