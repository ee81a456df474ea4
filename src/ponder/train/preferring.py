"""A reasoner learns which of two ECRs is the more useful: direct preference optimization, through TRL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ponder.train.checkpoints import TrainingFolder
from ponder.train.planned import Advance, planned
from ponder.train.running import Pace, finished, following
from ponder.train.stacks import IGNORED, Line, stack
from ponder.train.stream import Stream
from ponder.train.student import Student


class Pairs(Protocol):
    """Gives the lines of preferences."""

    def of(self, place: int) -> list[Line]:
        """The chosen line and the rejected one."""
        ...


def make_preferring(
    student: Student,
    lines: Pairs,
    folder: TrainingFolder,
    order: Stream,
    pace: Pace,
    advance: Advance,
    stop_after: int,
    beta: float,
) -> Any:
    """TRL's `DPOTrainer` over a plan (arXiv:2305.18290).

    What the base thinks of each ECR is computed once, before the first step and again where a training is
    gone on with: the weights that a checkpoint holds are put in later. So no second model is in memory.

    Args:
        student: The model.
        lines: Prompts with both answers.
        folder: Where checkpoints and the log go.
        order: Of the preferences.
        pace: How fast.
        advance: Told how far it is.
        stop_after: As for `ponder.train.running.Pace.schedule`.
        beta: How dear it is to move away from the base.
    """
    import warnings

    import torch
    import trl

    from ponder.models.quiet import quiet

    loud: Any = trl  # it exports by a list
    loaded = student.loaded
    schedule = pace.schedule(order, stop_after)

    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        two = [lines.of(row["row"]) for row in rows]
        made = stack(loaded, [*(each[0] for each in two), *(each[1] for each in two)])
        made["completion_mask"] = (made.pop("labels") != IGNORED).long()
        for name in ("ref_chosen_logps", "ref_rejected_logps"):
            if name in rows[0]:
                made[name] = torch.tensor([row[name] for row in rows])
        return made

    class Preferring(planned(loud.DPOTrainer, folder, schedule, collate)):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            """The collator opens and renders; there is nothing to tokenize."""
            return dataset

    told = pace.arguments(folder, order)
    args = loud.DPOConfig(
        **told,
        beta=beta,
        precompute_ref_log_probs=True,
        max_length=None,
        per_device_train_batch_size=len(order.pieces[0]),
        # None: TRL would turn it on, and the student has done so where it is wanted.
        gradient_checkpointing=None,
    )
    with quiet(), warnings.catch_warnings():
        # trl asks transformers by names that it gives up.
        warnings.simplefilter("ignore", FutureWarning)
        trainer = Preferring(
            model=loaded.model,
            args=args,
            train_dataset=schedule.rows,
            processing_class=loaded.tokenizer,
            data_collator=collate,
            callbacks=following(folder, schedule, advance),
        )
    return finished(trainer)
