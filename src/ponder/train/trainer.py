"""The library's trainer of embedders, over a plan, with ponder's own evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ponder.train.checkpoints import TrainingFolder
from ponder.train.planned import FIXED, Advance, Schedule, flow, planned


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
    import transformers
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    loud: Any = transformers
    follows = planned(SentenceTransformerTrainer, folder, schedule, collate, lambda: [best()])

    class EmbedderTrainer(follows):  # type: ignore[misc, valid-type]
        control: Any

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

    trainer = EmbedderTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(**FIXED, **arguments),
        train_dataset=schedule.rows,
        loss=loss,
        data_collator=collate,
        callbacks=[flow(folder, schedule, advance, evaluates=evaluate is not None)],
    )
    # What it prints to stdout is what our log has.
    trainer.remove_callback(loud.PrinterCallback)
    return trainer
