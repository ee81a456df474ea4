"""Models of a preset's file, put together: engines are shared by the parts that name the same one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ponder.embed.backbone import BackboneEmbedder
from ponder.embed.conditioned import Format
from ponder.embed.sentence import SentenceEmbedder
from ponder.models.engine import Effort, Engine
from ponder.models.local.engine import LocalEngine
from ponder.models.local.settings import LocalSettings
from ponder.models.registry import load
from ponder.presets.reading import read
from ponder.presets.spec import (
    BackboneSpec,
    CrossEncoderSpec,
    EngineJudgeSpec,
    JudgeSpec,
    LocalSpec,
    Preset,
    RemoteJudgeSpec,
    SentenceSpec,
)
from ponder.protocols import BlobCache, Embedder, Models, Reasoner, Reranker
from ponder.reason.chat import ChatReasoner, Wording
from ponder.rerank.calibration import Calibration, read_calibration
from ponder.rerank.musing import Musing
from ponder.rerank.p_true import PTrue
from ponder.rerank.pointwise import PointwiseJudge, Question
from ponder.rerank.query_likelihood import QueryLikelihood
from ponder.rerank.showing import Showing, ShowMedia, ShowReasoning
from ponder.rerank.yes_no import INSTRUCTION, YesNo


class ChatModels:
    """See `ponder.protocols.Models`; nothing is loaded before it is used.

    Args:
        preset: What to put together.
        cache: For the set that `Preset.parts_of` names.
    """

    def __init__(self, preset: Preset, cache: BlobCache | None = None) -> None:
        self.preset, self._cache = preset, cache
        self.name, self.reason_tokens = preset.name, preset.reason_tokens
        self.reason_batch = preset.reason_batch
        self.calibration = _calibration(preset.calibration)
        self._engines: dict[str, Engine] = {}

    def engine(self, name: str) -> Engine:
        """The engine of this name in the preset."""
        if name not in self._engines:
            spec = self.preset.engines[name]
            # Two names for the same model are one: weights are not loaded twice.
            same = next((k for k in self._engines if self.preset.engines[k] == spec), None)
            self._engines[name] = self._engines[same] if same else _engine(spec)
        return self._engines[name]

    @property
    def billions(self) -> dict[str, float]:
        """See `ponder.protocols.TellsSizes`: of the parts whose sizes the preset tells."""
        told, preset = self.preset.billions, self.preset
        embedder = preset.embedder
        engines = {"embedder": embedder.engine if isinstance(embedder, BackboneSpec) else "embedder"}
        if preset.reasoner is not None:
            engines["reasoner"] = preset.reasoner.engine
        for name, judge in preset.judges.items():
            if isinstance(judge, EngineJudgeSpec):
                engines[name] = judge.engine
        return {part: told[engine] for part, engine in engines.items() if engine in told}

    @cached_property
    def _others(self) -> Models | None:
        """The set whose parts fill up what the preset does not say."""
        return load(self.preset.parts_of, cache=self._cache) if self.preset.parts_of else None

    @cached_property
    def reasoner(self) -> Reasoner:
        """Writes the ECRs."""
        spec = self.preset.reasoner
        if spec is None:
            assert self._others is not None, "the preset's reader lets no other pass"
            return self._others.reasoner
        given = {key: value for key, value in spec.wording.model_dump().items() if value}
        return ChatReasoner(
            self.engine(spec.engine),
            wording=Wording(**given),
            trace=spec.trace,
            least=spec.least,
            words=spec.words,
            frames=spec.frames,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """Embeds item + ECR."""
        spec = self.preset.embedder
        if spec is None:
            assert self._others is not None, "the preset's reader lets no other pass"
            return self._others.embedder
        form = Format(**spec.format.model_dump())
        if isinstance(spec, BackboneSpec):
            engine = self.engine(spec.engine)
            assert isinstance(engine, LocalEngine), "the preset's reader lets no other pass"
            return BackboneEmbedder(
                engine, pooling=spec.pooling, weights=spec.weights, form=form, mark=spec.mark
            )
        if isinstance(spec, SentenceSpec):
            return SentenceEmbedder(
                spec.model,
                revision=spec.revision,
                form=form,
                prompts={str(side): prompt for side, prompt in spec.prompts.items()},
                dim=spec.dim,
                device=spec.device,
                dtype=spec.dtype,
                batch=spec.batch,
                trust=spec.remote_code,
                instructed=spec.instructed,
            )
        from ponder.embed.remote import RemoteEmbedder

        return RemoteEmbedder(**spec.model_dump(exclude={"kind", "format"}), form=form)

    @cached_property
    def rerankers(self) -> dict[str, Reranker]:
        """The judges by stage name."""
        own = {name: self._judge(name, spec) for name, spec in self.preset.judges.items()}
        return {**(self._others.rerankers if self._others else {}), **own}

    def _judge(self, name: str, spec: JudgeSpec) -> Reranker:
        showing = showing_of(spec)
        shown = {"shows", "pictures", "words", "frames"}
        if isinstance(spec, CrossEncoderSpec):
            from ponder.rerank.cross_encoder import CrossEncoderJudge

            options = spec.model_dump(exclude={"kind", "remote_code", *shown})
            return CrossEncoderJudge(name, showing=showing, trust=spec.remote_code, **options)
        if isinstance(spec, RemoteJudgeSpec):
            from ponder.rerank.remote import RemoteReranker

            return RemoteReranker(name, showing=showing, **spec.model_dump(exclude={"kind", *shown}))
        return self._asking(name, spec, showing)

    def _asking(self, name: str, spec: EngineJudgeSpec, showing: Showing) -> Reranker:
        engine = self.engine(spec.engine)
        if spec.question in ("listwise", "tournament"):
            from ponder.rerank.listwise import ListwiseJudge
            from ponder.rerank.tournament import TournamentJudge

            made = ListwiseJudge if spec.question == "listwise" else TournamentJudge
            return made(name, engine, showing, weight=spec.weight)
        musing = None
        if spec.musing:
            effort = Effort(spec.musing.trace, spec.musing.answer)
            musing = Musing(self.engine(spec.musing.engine), effort, keep=spec.musing.keep)
        return PointwiseJudge(name, engine, question_of(spec), showing, weight=spec.weight, musing=musing)


def build_preset(name: str, *, cache: BlobCache | None = None) -> ChatModels:
    """The models of a preset's file.

    Args:
        name: As for `ponder.presets.reading.read`.
        cache: For models of another set (`Preset.parts_of`): what chat models write is cached by the shelf.

    Example:
        >>> build_preset("qwen3-vl-2b").name
        'qwen3-vl-2b'
    """
    return ChatModels(read(name), cache)


def __getattr__(name: str) -> Callable[..., ChatModels]:
    # Entry points name one function a preset: those of the files are all this one.
    if name.startswith("build_"):
        return partial(build_preset, name.removeprefix("build_").replace("_", "-"))
    raise AttributeError(name)


def _calibration(path: str) -> Calibration | None:
    return None if path in ("", "none") else read_calibration(Path(path).expanduser())


def _engine(spec: Any) -> Engine:
    settings = spec.model_dump(exclude={"kind"})
    if isinstance(spec, LocalSpec):
        return LocalEngine(LocalSettings(**settings))
    from ponder.models.remote.engine import RemoteEngine
    from ponder.models.remote.settings import RemoteSettings

    return RemoteEngine(RemoteSettings(**{**settings, "able": frozenset(settings["able"])}))


def showing_of(spec: JudgeSpec) -> Showing:
    """What a judge is shown."""
    if spec.shows == "reasoning":
        return ShowReasoning(words=spec.words, pictures=spec.pictures, frames=spec.frames)
    both = spec.shows == "both"
    return ShowMedia(frames=spec.frames, words=spec.words, sees=spec.pictures, reasoning=both)


def question_of(spec: EngineJudgeSpec) -> Question:
    """What a judge over an engine asks of one candidate."""
    if spec.question == "p-true":
        return PTrue(answers=spec.answers or ("true", "false"))
    if spec.question == "query-likelihood":
        return QueryLikelihood()
    return YesNo(instruction=spec.instruction or INSTRUCTION, answers=spec.answers or ("yes", "no"))
