"""Judges in training: cross-encoders, and chat models by their yes against their no."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ponder.errors import InputInvalid
from ponder.models.engine import Prompt
from ponder.models.local.engine import LocalEngine
from ponder.models.quiet import quiet
from ponder.records import Candidate, Content
from ponder.rerank.cross_encoder import CrossEncoderJudge, given
from ponder.rerank.showing import Showing, Shown
from ponder.train.adapters import is_eye, merge, put_on
from ponder.train.stacks import Line, groups, next_logits, stack
from ponder.train.student import Adapter, Student, Tuning

if TYPE_CHECKING:
    from torch import Tensor

Features = list[tuple[list[int], dict[str, Any]]]
"""What goes through the model together: places of pairs, and what it takes of them."""


class Asking(Protocol):
    """A question with two answers, as `ponder.rerank.yes_no.YesNo` and `ponder.rerank.p_true.PTrue` ask."""

    @property
    def fingerprint(self) -> str:
        """Wording and answers."""
        ...

    @property
    def answers(self) -> tuple[str, str]:
        """For and against."""
        ...

    def prompt(self, query: Shown, instruction: str, shown: Shown, thought: str) -> Prompt:
        """The conversation."""
        ...


class Scorer(Protocol):
    """A judge that scores pairs with gradients."""

    def module(self) -> Any:
        """The ``torch.nn.Module`` that is trained: from `Features` to a logit a pair, float32."""
        ...

    def features(self, query: Content, candidates: Sequence[Candidate]) -> Features:
        """What the module takes of a query's pairs.

        Raises:
            InputInvalid: One cannot be shown.
        """
        ...

    def lengths(self, query: Content, candidates: Sequence[Candidate]) -> list[int]:
        """Tokens of each pair."""
        ...

    def save(self, target: Path, adapter: Adapter) -> None:
        """Write the trained judge into a folder."""
        ...


class ChatScorer:
    """A chat model that is asked a question with two answers: log P(yes) - log P(no).

    Args:
        student: The model; None counts tokens only.
        engine: Renders.
        question: What is asked.
        showing: What is shown.
    """

    def __init__(
        self, student: Student | None, engine: LocalEngine, question: Asking, showing: Showing
    ) -> None:
        self._student, self._engine = student, engine
        self._question, self._showing = question, showing

    def module(self) -> Any:
        """See `Scorer`."""
        import torch

        assert self._student is not None, "an estimate trains nothing"
        model = self._student.loaded.model
        yes, no = (self._engine.token(answer) for answer in self._question.answers)

        class Answers(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, features: Features) -> Tensor:
                found: dict[int, Tensor] = {}
                for places, stacked in features:
                    logits = next_logits(self.model, stacked)
                    found |= dict(zip(places, logits[:, yes] - logits[:, no], strict=True))
                return torch.stack([found[place] for place in sorted(found)])

        return Answers()

    def features(self, query: Content, candidates: Sequence[Candidate]) -> Features:
        """See `Scorer`."""
        lines = self._lines(query, candidates)
        loaded = self._engine.loaded
        return [(some, stack(loaded, [lines[place] for place in some])) for some in groups(lines)]

    def lengths(self, query: Content, candidates: Sequence[Candidate]) -> list[int]:
        """See `Scorer`."""
        return [len(line.ids) for line in self._lines(query, candidates)]

    def save(self, target: Path, adapter: Adapter) -> None:
        """See `Scorer`."""
        assert self._student is not None, "an estimate trains nothing"
        self._student.save(target, adapter)

    def _lines(self, query: Content, candidates: Sequence[Candidate]) -> list[Line]:
        asked, shown = shown_of(self._showing, query, candidates)
        prompts = [self._question.prompt(asked, query.instruction, each, "") for each in shown]
        lines = [Line(self._engine.fitted(prompt, 1)) for prompt in prompts]
        self._engine.forget()
        return lines


class CrossScorer:
    """A cross-encoder of sentence-transformers.

    Args:
        judge: As a search uses it.
        showing: What is shown.
        tuning: What is trained of it.
    """

    def __init__(self, judge: CrossEncoderJudge, showing: Showing, tuning: Tuning) -> None:
        self._judge, self._showing, self._tuning = judge, showing, tuning

    def module(self) -> Any:
        """See `Scorer`."""
        import torch

        model, tuning = self._judge.model, self._tuning
        if tuning.lora:
            put_on(model, rank=tuning.rank, alpha=tuning.alpha, seed=tuning.seed)
        for name, parameter in model.named_parameters():
            if is_eye(name):
                parameter.requires_grad_(False)
        if tuning.checkpointing:
            with quiet():
                model.transformers_model.activation_checkpointing_enable()

        class Pairs(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, features: Features) -> Tensor:
                found: dict[int, Tensor] = {}
                for places, taken in features:
                    scores = self.model(dict(taken))["scores"].reshape(-1).float()
                    found |= dict(zip(places, scores, strict=True))
                return torch.stack([found[place] for place in sorted(found)])

        return Pairs()

    def features(self, query: Content, candidates: Sequence[Candidate]) -> Features:
        """See `Scorer`."""
        asked, shown = shown_of(self._showing, query, candidates)
        kinds: dict[bool, list[int]] = {}
        for place, each in enumerate(shown):
            kinds.setdefault(bool(each.pictures), []).append(place)
        return [
            (some, self._judge.model.preprocess([(given(asked), given(shown[place])) for place in some]))
            for some in kinds.values()
        ]

    def lengths(self, query: Content, candidates: Sequence[Candidate]) -> list[int]:
        """See `Scorer`."""
        asked, shown = shown_of(self._showing, query, candidates)
        read = [self._judge.model.preprocess([(given(asked), given(each))]) for each in shown]
        return [int(each["input_ids"].shape[-1]) for each in read]

    def save(self, target: Path, adapter: Adapter) -> None:
        """See `Scorer`; an adapter is merged."""
        if self._tuning.lora:
            merge(self._judge.model)
        with quiet():
            self._judge.model.save_pretrained(str(target), create_model_card=False)


def shown_of(showing: Showing, query: Content, candidates: Sequence[Candidate]) -> tuple[Shown, list[Shown]]:
    """What a judge is shown.

    Raises:
        InputInvalid: Of the query or of a candidate nothing can be.
    """
    asked = showing.query(query)
    shown = [showing.candidate(each) for each in candidates]
    for place, each in enumerate((asked, *shown)):
        if each.missing:
            what = candidates[place - 1].row.item.id if place else "the query"
            raise InputInvalid(each.missing, what, "was it changed since the training began?")
    return asked, shown
