"""What all trainers here do otherwise than the library's: a plan, whole checkpoints, a log of our own."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed, ModelInvalid
from ponder.train.checkpoints import TrainingFolder

WEIGHTS = "weights.safetensors"

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens after which steps.

    Attributes:
        batches: The plan: places in the training set's rows.
        every: Steps between two evaluations; after each a checkpoint is written.
        stop_after: Stop here, as if interrupted; 0 goes to the end.
    """

    batches: Sequence[Sequence[int]]
    every: int
    stop_after: int = 0

    @property
    def rows(self) -> Any:
        """A data set of one column, "row", with every place that a batch has."""
        from datasets import Dataset

        return Dataset.from_dict({"row": list(range(1 + max(max(batch) for batch in self.batches)))})


class Planned:
    """The plan as a data loader's batch sampler."""

    batch_size: int | None = None
    """No batch is as large as another: accelerate would drop those that are smaller than it was told."""
    drop_last = False

    def __init__(self, batches: Sequence[Sequence[int]]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        return (list(each) for each in self._batches)


FIXED: dict[str, Any] = {
    # One pass over the plan, which has all epochs in it.
    "num_train_epochs": 1,
    "lr_scheduler_type": "linear",
    # `Flow` says when.
    "logging_strategy": "no",
    "eval_strategy": "no",
    "save_strategy": "no",
    "logging_nan_inf_filter": False,
    "disable_tqdm": True,
    # The plan is as long for each process; the trainer would set this itself, and say so.
    "dataloader_drop_last": True,
}


def trainable(model: Any) -> dict[str, Any]:
    """What a training changes, by name: parameters that take a gradient, and buffers."""
    found = {name: each for name, each in model.named_parameters() if each.requires_grad}
    stored = model.state_dict()
    return found | {name: each for name, each in model.named_buffers() if name in stored}


def save_weights(model: Any, folder: Path) -> None:
    """Write what a training changes; all bits of it."""
    from safetensors.torch import save_file

    tensors = {name: each.detach().cpu().contiguous().clone() for name, each in trainable(model).items()}
    save_file(tensors, folder / WEIGHTS)


def load_weights(model: Any, folder: Path) -> None:
    """Put a checkpoint's weights into the model.

    Raises:
        ModelInvalid: The checkpoint is another model's, or damaged.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    here = trainable(model)
    try:
        there = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelInvalid(f"cannot be read: {error}", str(folder), "remove this checkpoint") from error
    shapes = [{name: each.shape for name, each in some.items()} for some in (here, there)]
    if shapes[0] != shapes[1]:
        raise ModelInvalid("a checkpoint of another model", str(folder), "give --fresh to begin anew")
    with torch.no_grad():
        for name, tensor in there.items():
            here[name].copy_(tensor)


def flow(folder: TrainingFolder, schedule: Schedule, advance: Advance, *, evaluates: bool = False) -> Any:
    """A callback: when to evaluate, save and stop; lines for the log.

    Args:
        folder: Has the log.
        schedule: When.
        advance: Called with (steps done, steps).
        evaluates: Whether there is anything to evaluate on.
    """
    import transformers

    loud: Any = transformers

    class Flow(loud.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            step, last = state.global_step, state.max_steps
            stop = schedule.stop_after in range(1, step + 1)
            control.should_log = True
            control.should_evaluate = evaluates and (step % schedule.every == 0 or step == last)
            control.should_save = step % schedule.every == 0 or step == last or stop
            control.should_training_stop = stop or step >= last
            advance(step, last)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if "loss" not in (logs or {}):
                return
            if not math.isfinite(logs["loss"]):
                raise BackendFailed("the loss is not finite", f"step {state.global_step}", "lower --rate")
            if state.is_world_process_zero:
                folder.log({"step": state.global_step, **logs})

    return Flow()


def planned(
    base: Any,
    folder: TrainingFolder,
    schedule: Schedule,
    collate: Callable[[Sequence[dict[str, int]]], Any],
    keep: Callable[[], Collection[int]] = tuple,
) -> Any:
    """A trainer's class that follows a plan and keeps its checkpoints whole.

    Args:
        base: ``Trainer`` of transformers, or what derives from it.
        folder: Where checkpoints go.
        schedule: The plan.
        collate: From rows of `Schedule.rows` to a batch.
        keep: Gives the steps whose checkpoints stay beside the last one.
    """
    import torch

    any_collate: Any = collate

    class PlannedTrainer(base):  # type: ignore[misc]
        def get_train_dataloader(self) -> Any:
            self.accelerator.even_batches = False
            loader: Any = torch.utils.data.DataLoader(
                self.train_dataset, batch_sampler=Planned(schedule.batches), collate_fn=any_collate
            )
            return self.accelerator.prepare(loader)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            self.store_flos()
            step = self.state.global_step

            def write(target: Path) -> None:
                save_weights(self.model, target)
                self._save_optimizer_and_scheduler(str(target))
                self._save_scaler(str(target))
                self._save_rng_state(str(target))
                self.state.save_to_json(str(target / "trainer_state.json"))

            if self.is_world_process_zero():
                folder.save(step, write, keep=keep())
            self.accelerator.wait_for_everyone()
            if not self.is_world_process_zero():
                self._save_rng_state(str(folder.checkpoint(step)))

        def _load_from_checkpoint(self, resume_from_checkpoint: Any, model: Any = None) -> None:
            load_weights(self.model, Path(resume_from_checkpoint))

    return PlannedTrainer
