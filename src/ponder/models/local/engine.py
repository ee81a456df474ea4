"""The engine that runs here: any chat model of transformers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from ponder.errors import BadArguments, InputInvalid, ModelInvalid
from ponder.models.engine import Able, Effort, Likely, Prompt, Written
from ponder.models.folder import folder_digest
from ponder.models.local.fitting import fitted
from ponder.models.local.loading import Loaded, load, place, sees_pictures
from ponder.models.local.rendering import Rendered, Renderer
from ponder.models.local.scoring import Ask, score, shared_length
from ponder.models.local.settings import LocalSettings
from ponder.models.local.writing import Task, write

_VERSION = "local-1"
_KEPT = 256


class LocalEngine:
    """Runs a chat model on this machine; weights load at first use.

    Args:
        settings: Which model, and how; a folder or a name alone takes the defaults.

    Example:
        >>> LocalEngine("./no/such/folder").answer([], ["yes"])
        []
    """

    def __init__(self, settings: LocalSettings | str) -> None:
        self._settings = LocalSettings(settings) if isinstance(settings, str) else settings
        self._rendered: OrderedDict[tuple[object, ...], tuple[Prompt, Rendered]] = OrderedDict()

    @cached_property
    def fingerprint(self) -> str:
        """See `ponder.models.engine.Engine`: the files of a folder, or the name and revision on the hub."""
        settings = self._settings
        device, dtype = place(settings)
        folder = Path(settings.model).expanduser()
        name = folder_digest(folder) if folder.is_dir() else f"{settings.model}@{settings.revision or 'main'}"
        parts = (
            name,
            settings.adapter and _adapter_name(settings.adapter),
            f"{dtype}".removeprefix("torch."),
            device.partition(":")[0],
            f"{settings.max_pixels}px{settings.frames}f{settings.context}c",
        )
        return "/".join((_VERSION, *filter(None, parts)))

    @cached_property
    def able(self) -> frozenset[Able]:
        """All, pictures if the model's configuration has them."""
        some: set[Able] = {"write", "answer", "likelihood"}
        return frozenset(some | {"pictures"}) if sees_pictures(self._settings) else frozenset(some)

    @cached_property
    def loaded(self) -> Loaded:
        """The model; loads it."""
        return load(self._settings)

    @cached_property
    def renderer(self) -> Renderer:
        """From conversations to tokens; loads the model."""
        return Renderer(self.loaded)

    def token(self, word: str) -> int:
        """The one token that `word` is.

        Raises:
            InputInvalid: It is several, or none.
        """
        ids = self.renderer.words(word)
        if len(ids) != 1:
            pieces = [self.loaded.tokenizer.decode([token]) for token in ids]
            raise InputInvalid(
                f"the answer {word!r} is {len(ids)} tokens of this model, {pieces}: it must be one",
                self._settings.model,
                "ask for another word, or for it with or without a capital or a space",
            )
        return ids[0]

    def prices(self, prompts: Sequence[Prompt]) -> list[int]:
        """See `ponder.models.engine.Engine`."""
        if not prompts:
            return []
        rendered = [self._render(prompt) for prompt in prompts]
        shared = shared_length(rendered, self.loaded.plain)
        return [len(each.ids) - (shared if number else 0) for number, each in enumerate(rendered)]

    def write(self, prompts: Sequence[Prompt], effort: Effort) -> list[Written]:
        """See `ponder.models.engine.Engine`."""
        found: list[Written | None] = []
        tasks = []
        for prompt in prompts:
            try:
                tasks.append(Task(self.fitted(prompt, effort.total), prompt.opening))
                found.append(None)
            except ModelInvalid:
                raise
            except InputInvalid as error:
                found.append(Written(error=str(error)))
        written = iter(write(self.loaded, tasks, effort, self.renderer.tensors) if tasks else ())
        return [next(written) if each is None else each for each in found]

    def answer(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Likely]:
        """See `ponder.models.engine.Engine`."""
        if not prompts:
            return []
        if not answers:
            raise BadArguments("no answers to choose from", "answers", "give two or more")
        ids = tuple(self.token(answer) for answer in answers)
        return self._score(prompts, [()] * len(prompts), ids)

    def likelihood(self, prompts: Sequence[Prompt], targets: Sequence[str]) -> list[Likely]:
        """See `ponder.models.engine.Engine`."""
        return self._score(
            prompts, [self.renderer.words(target) for target in targets] if prompts else [], ()
        )

    def _score(
        self, prompts: Sequence[Prompt], targets: Sequence[tuple[int, ...]], answers: tuple[int, ...]
    ) -> list[Likely]:
        found: list[Likely | None] = []
        asks = []
        for prompt, target in zip(prompts, targets, strict=True):
            if not (answers or target):
                found.append(Likely(error="the target has no tokens"))
                continue
            try:
                asks.append(Ask(self.fitted(prompt, len(target)), target, answers))
                found.append(None)
            except ModelInvalid:
                raise
            except InputInvalid as error:
                found.append(Likely(error=str(error)))
        scored = iter(score(self.loaded, asks, self.renderer.tensors))
        return [next(scored) if each is None else each for each in found]

    def fitted(self, prompt: Prompt, room: int) -> Rendered:
        """A prompt that leaves room for so many more tokens; see `ponder.models.local.fitting`."""
        most = self.loaded.context - room
        rendered = self._render(prompt)
        if len(rendered.ids) <= most:
            return rendered
        return fitted(self.renderer.render, prompt, most, self._settings.model)

    def forget(self) -> None:
        """Drop prompts that were rendered: a training sees each once in a while, and pictures are large."""
        self._rendered.clear()

    def _render(self, prompt: Prompt) -> Rendered:
        # Judges ask for prices first, and pictures take long to prepare. Pictures have no hash, so they are
        # known by where they are, which holds while the prompt is kept.
        key = (
            prompt.opening,
            *(
                (turn.role, *(part if isinstance(part, str) else id(part) for part in turn.parts))
                for turn in prompt.turns
            ),
        )
        if key not in self._rendered:
            self._rendered[key] = (prompt, self.renderer.render(prompt))
            if len(self._rendered) > _KEPT:
                self._rendered.popitem(last=False)
        self._rendered.move_to_end(key)
        return self._rendered[key][1]


def _adapter_name(adapter: str) -> str:
    folder = Path(adapter).expanduser()
    return folder_digest(folder) if folder.is_dir() else adapter
