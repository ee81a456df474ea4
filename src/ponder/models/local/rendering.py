"""From a conversation to what the model reads: token ids, and tensors for the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid
from ponder.models.engine import Prompt, Turn
from ponder.models.local.loading import SLOT, Loaded
from ponder.models.quiet import quiet

if TYPE_CHECKING:
    from PIL.Image import Image

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A prompt as the model reads it.

    Attributes:
        ids: Tokens; a picture has as many placeholders as it becomes tokens.
        pictures: In the order of their placeholders.
        seen: For each token, whether it stands for a picture.
        starts: For each picture, the place of its first token.
        tensors: What the processor made of the pictures: pixels, grids.
        cut: What was left out, "" for nothing.
    """

    ids: Tokens
    pictures: tuple[Image, ...] = ()
    seen: tuple[bool, ...] = ()
    starts: tuple[int, ...] = ()
    tensors: dict[str, Any] = field(default_factory=dict)
    cut: str = ""


class Renderer:
    """Renders conversations with a model's own template.

    Words of the user's are never read as marks of the template: the template is rendered around slots, and
    what goes there is encoded apart, with every mark in it as plain characters. Texts that follow one
    another in a turn are encoded as one, as they would be without this.

    Args:
        loaded: Whose tokenizer, template and processor to use.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._has_system: bool | None = None

    def words(self, text: str) -> Tokens:
        """The tokens of a text: no marks are added, none are recognised."""
        return tuple(self._loaded.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def render(self, prompt: Prompt) -> Rendered:
        """Tokens and tensors of a prompt, whatever its length.

        Raises:
            InputInvalid: It has pictures and the model sees none, or the template cannot say it.
        """
        turns = [_joined(turn) for turn in self._roles(prompt.turns)]
        texts = [part for turn in turns for part in turn.parts if isinstance(part, str)]
        pictures = [
            bounded(part, self._loaded.settings.max_pixels)
            for turn in turns
            for part in turn.parts
            if not isinstance(part, str)
        ]
        frame = self._frame(turns)
        if frame.count(SLOT) != len(texts):
            raise InputInvalid(
                "the template leaves texts out", self._loaded.settings.model, "mend its template"
            )
        ids, kinds, tensors = self._encoded(frame, pictures)
        filled: list[int] = []
        seen: list[bool] = []
        waiting = iter(texts)
        for token, kind in zip(ids, kinds, strict=True):
            new = self.words(next(waiting)) if token == self._loaded.slot else (token,)
            filled += new
            seen += [bool(kind)] * len(new)
        if prompt.opening:
            new = self._loaded.tokenizer.encode(prompt.opening, add_special_tokens=False)
            filled += new
            seen += [False] * len(new)
        starts = _starts(seen, tensors, len(pictures))
        return Rendered(tuple(filled), tuple(pictures), tuple(seen), starts, tensors)

    def tensors(self, pictures: Sequence[Image]) -> dict[str, Any]:
        """What the processor makes of pictures alone."""
        if not pictures:
            return {}
        token = self._loaded.processor.image_token
        return self._encoded(token * len(pictures), pictures)[2]

    def _frame(self, turns: Sequence[Turn]) -> str:
        loaded = self._loaded
        messages = []
        for turn in turns:
            content: Any = [
                {"type": "text", "text": SLOT} if isinstance(part, str) else {"type": "image"}
                for part in turn.parts
            ]
            if loaded.processor is None:
                if any(not isinstance(part, str) for part in turn.parts):
                    raise InputInvalid("it sees no pictures", loaded.settings.model, "take a model that does")
                content = SLOT * len(turn.parts)
            messages.append({"role": turn.role, "content": content})
        speaker = loaded.processor if loaded.processor is not None else loaded.tokenizer
        if not getattr(speaker, "chat_template", None):
            speaker = loaded.tokenizer
        try:
            return str(speaker.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except Exception as error:
            # jinja's errors share no base with the raise_exception of templates.
            raise InputInvalid(
                f"the chat template refuses: {error}", loaded.settings.model, "see which roles it takes"
            ) from error

    def _roles(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns, with the system's words before the user's first where a template has no such role."""
        if not turns or turns[0].role != "system" or self._takes_system():
            return list(turns)
        first, *rest = turns[1:]
        return [Turn(first.role, (*turns[0].parts, "\n\n", *first.parts)), *rest]

    def _takes_system(self) -> bool:
        if self._has_system is None:
            try:
                frame = self._frame([Turn("system", ("",)), Turn("user", ("",))])
                self._has_system = frame.count(SLOT) == 2
            except InputInvalid:
                self._has_system = False
        return self._has_system

    def _encoded(self, frame: str, pictures: Sequence[Image]) -> tuple[list[int], list[int], dict[str, Any]]:
        """Token ids, the kind of each (0 text), and the pictures' tensors."""
        loaded = self._loaded
        if not pictures:
            ids = loaded.tokenizer.encode(frame, add_special_tokens=False)
            return ids, [0] * len(ids), {}
        with quiet():
            made = dict(
                loaded.processor(
                    text=[frame], images=[list(pictures)], return_tensors="pt", add_special_tokens=False
                )
            )
        ids = made.pop("input_ids")[0].tolist()
        made.pop("attention_mask", None)
        kinds = made.pop("mm_token_type_ids", None)
        token = loaded.tokenizer.convert_tokens_to_ids(loaded.processor.image_token)
        types = [int(each == token) for each in ids] if kinds is None else kinds[0].tolist()
        return ids, types, made


def bounded(picture: Image, most: int) -> Image:
    """The picture, shrunk to at most `most` pixels with its sides in proportion.

    Example:
        >>> from PIL import Image
        >>> bounded(Image.new("RGB", (400, 100)), 10_000).size
        (200, 50)
    """
    width, height = picture.size
    if width * height <= most:
        return picture
    scale = (most / (width * height)) ** 0.5
    return picture.resize((max(1, int(width * scale)), max(1, int(height * scale))))


def _joined(turn: Turn) -> Turn:
    parts: list[Any] = []
    for part in turn.parts:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return Turn(turn.role, tuple(parts))


def _starts(seen: Sequence[bool], tensors: dict[str, Any], pictures: int) -> tuple[int, ...]:
    """Where each picture begins; pictures whose tokens touch share the first one's beginning."""
    edges = [i for i, yes in enumerate(seen) if yes and (i == 0 or not seen[i - 1])]
    if len(edges) == pictures:
        return tuple(edges)
    # Tiles of one picture are told apart by marks between them: who owns which is not known here, so
    # all begin where the first does, and no shared beginning is cut among them.
    return (edges[0],) * pictures if edges else ()
