"""From a plan to a result: what trainings of reasoner, reranker and head share.

A training is begun or gone on with in a `TrainingFolder`; its result is the last step's. On a CPU the weights
of a training that was broken off and resumed are those of an unbroken one to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.errors import BadArguments
from ponder.records import Skipped
from ponder.train.checkpoints import TrainingFolder
from ponder.train.job import processes
from ponder.train.planned import FIXED, Advance, Schedule, flow, load_weights
from ponder.train.stream import Stream

Progress = Callable[[str], AbstractContextManager[Advance]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a training goes.

    Attributes:
        rate: Learning rate.
        warmup: Share of the steps in which it rises; it then falls linearly to 0.
        decay: AdamW's weight decay.
        every: Steps between two checkpoints; 0 takes ten in all.
        seed: Of dropout.
        half: Arithmetic in bfloat16.
        report_to: Where the trainer reports to beside our log.
    """

    rate: float
    warmup: float
    decay: float
    every: int
    seed: int
    half: bool
    report_to: Sequence[str]

    def __post_init__(self) -> None:
        wrong = {
            "--rate": not 0 < self.rate < 1,
            "--warmup": not 0 <= self.warmup < 1,
            "--decay": self.decay < 0,
            "--every": self.every < 0,
        }
        for option, bad in wrong.items():
            if bad:
                raise BadArguments("out of range", option, "see --help")

    def schedule(self, stream: Stream, stop_after: int) -> Schedule:
        """When to save and stop."""
        return Schedule(stream.pieces, self.every or -(-stream.steps // 10), stop_after)

    def arguments(self, folder: TrainingFolder, stream: Stream) -> dict[str, Any]:
        """For `TrainingArguments` of transformers."""
        import torch

        return {
            **FIXED,
            # TensorBoard's files go to its folder "runs".
            "output_dir": str(folder.path),
            "seed": self.seed,
            "learning_rate": self.rate,
            "warmup_steps": int(self.warmup * stream.steps),
            "weight_decay": self.decay,
            "gradient_accumulation_steps": stream.accumulate,
            "report_to": list(self.report_to),
            "bf16": self.half,
            "use_cpu": not torch.cuda.is_available(),
            "remove_unused_columns": False,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training.

    Attributes:
        steps: That were made.
        total: That there are.
        losses: First and last that were logged; empty before the first step.
        left_out: What was not trained on, and why.
    """

    steps: int
    total: int
    losses: tuple[float, ...]
    left_out: tuple[Skipped, ...]

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return self.steps == self.total


@dataclass(frozen=True, slots=True)
class Run:
    """A training that was planned.

    Attributes:
        folder: Where it lives.
        manifest: Whatever decides the result.
        total: Steps.
        seed: Set before anything is loaded.
        trainer: Loads the model and makes its trainer; told where to say how far it is.
        write: Puts the result's files into a folder.
        before: Writes what stands beside the result: preset, report.
        left_out: For the outcome.
    """

    folder: TrainingFolder
    manifest: Mapping[str, Any]
    total: int
    seed: int
    trainer: Callable[[Advance], Any]
    write: Callable[[Path], None]
    before: Callable[[], None]
    left_out: tuple[Skipped, ...] = ()


def run(told: Run, progress: Progress, *, fresh: bool = False) -> Outcome:
    """Train, or go on with what was begun.

    Raises:
        InputInvalid: Something else was begun in the folder; says what differs.
        BackendFailed: A checkpoint could not be written; the one before is there. Or the loss is not finite.
        BadArguments: Several processes were started.
    """
    import torch

    if processes() > 1:
        raise BadArguments("this training runs in one process", "WORLD_SIZE", "start it without torchrun")
    folder = told.folder
    folder.open(told.manifest, fresh=fresh)
    at = (folder.steps() or [0])[-1]
    if not folder.done:
        torch.manual_seed(told.seed)
        folder.forget_after(at)
        with progress("steps") as advance:
            trainer = told.trainer(advance)
            if at < told.total:
                trainer.train(resume_from_checkpoint=str(folder.checkpoint(at)) if at else None)
                at = int(trainer.state.global_step)
            elif at:
                load_weights(trainer.model, folder.checkpoint(at))
        if at == told.total:
            told.before()
            trainer.model.eval()
            folder.replace(folder.model, told.write)
    if folder.done:
        at = told.total
        folder.remove_checkpoints()
    losses = [line["loss"] for line in folder.logged() if "loss" in line]
    return Outcome(at, told.total, (losses[0], losses[-1]) if losses else (), told.left_out)


def finished(trainer: Any) -> Any:
    """The trainer without the callback that prints to stdout what our log has."""
    import transformers

    loud: Any = transformers
    trainer.remove_callback(loud.PrinterCallback)
    return trainer


def following(folder: TrainingFolder, schedule: Schedule, advance: Advance) -> list[Any]:
    """Callbacks of a training without evaluation."""
    return [flow(folder, schedule, advance)]
