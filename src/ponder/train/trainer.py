"""The library's trainer with what ponder does otherwise: a plan, whole checkpoints, own evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
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


_FIXED: dict[str, Any] = {
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


def make_trainer(
    model: Any,
    loss: Any,
    collate: Callable[[Sequence[dict[str, int]]], dict[str, Any]],
    folder: TrainingFolder,
    schedule: Schedule,
    evaluate: Callable[[int], dict[str, dict[str, float]]] | None,
    best: Callable[[], int],
    arguments: dict[str, Any],
    advance: Advance,
) -> Any:
    """A `SentenceTransformerTrainer` over a plan.

    Args:
        model: A `SentenceTransformer`.
        loss: Of `make_loss`.
        collate: A `Collator`.
        folder: Where checkpoints and the log go.
        schedule: The plan, and when to look up from it.
        evaluate: From a step to metrics by data set.
        best: The step whose checkpoint is kept beside the last one; 0 for none.
        arguments: For `SentenceTransformerTrainingArguments`.
        advance: Called with (steps done, steps).
    """
    import torch
    import transformers
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    loud: Any = transformers
    any_collate: Any = collate
    rows: Any = Dataset.from_dict({"row": list(range(1 + max(max(batch) for batch in schedule.batches)))})

    class Flow(loud.TrainerCallback):  # type: ignore[misc]
        """When to evaluate, save and stop; lines for the log."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            step, last = state.global_step, state.max_steps
            stop = schedule.stop_after in range(1, step + 1)
            control.should_log = True
            control.should_evaluate = evaluate is not None and (step % schedule.every == 0 or step == last)
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

    class EmbedderTrainer(SentenceTransformerTrainer):
        def get_train_dataloader(self) -> Any:
            self.accelerator.even_batches = False
            loader: Any = torch.utils.data.DataLoader(
                rows, batch_sampler=Planned(schedule.batches), collate_fn=collate
            )
            return self.accelerator.prepare(loader)

        def collect_features(self, inputs: Any) -> Any:
            return inputs["features"], inputs["label"]

        def add_model_card_callback(self, default_args_dict: Any) -> None:
            """Ours is written at the end, of what we know; the library's guesses from the data set."""

        def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
            step = self.state.global_step
            found: dict[str, float] = {}
            if evaluate is not None and self.is_world_process_zero():
                scores = evaluate(step)
                folder.log({"step": step, "eval": scores})
                found = {
                    f"eval_{name}_{metric}": value
                    for name, metrics in scores.items()
                    for metric, value in metrics.items()
                }
            self.log(found)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
            return found

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
                folder.save(step, write, keep=[best()])
            self.accelerator.wait_for_everyone()
            if not self.is_world_process_zero():
                self._save_rng_state(str(folder.checkpoint(step)))

        def _load_from_checkpoint(self, resume_from_checkpoint: Any, model: Any = None) -> None:
            load_weights(self.model, Path(resume_from_checkpoint))

    trainer = EmbedderTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(**_FIXED, **arguments),
        train_dataset=rows,
        loss=loss,
        data_collator=any_collate,
        callbacks=[Flow()],
    )
    # What it prints to stdout is what our log has.
    trainer.remove_callback(loud.PrinterCallback)
    return trainer
