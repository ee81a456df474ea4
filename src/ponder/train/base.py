"""The model that a training begins with: which it is, what it is told, how long its inputs are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ponder.embed.conditioned import Format, Input
from ponder.embed.sentence import SentenceEmbedder
from ponder.errors import BadArguments
from ponder.models.sentence import having, named
from ponder.presets.chat import ChatModels
from ponder.presets.spec import SentenceSpec
from ponder.protocols import Models


@dataclass(frozen=True, slots=True)
class Base:
    """An embedding model before it is trained.

    Attributes:
        model: A folder, or a name on the model hub.
        revision: Commit on the hub.
        form: How item and reasoning become an input.
        prompts: By side, "document" and "query"; without, the model's own.
        trust: As for `SentenceEmbedder`.
    """

    model: str
    revision: str = ""
    form: Format = field(default_factory=Format)
    prompts: Mapping[str, str] = field(default_factory=dict)
    trust: str = ""

    @property
    def digest(self) -> str:
        """The folder's content, or the hub's name and revision."""
        return named(self.model, self.revision)

    @property
    def backbone(self) -> str:
        """Where configuration and tokenizer are: in a folder of modules, that of the first."""
        modules = self.said("modules.json")
        return str(Path(self.model) / modules[0].get("path", "")) if modules else self.model

    def said(self, name: str) -> Any:
        """What a JSON file of the model's folder says; nothing where there is no such file."""
        file = Path(self.model) / name
        return json.loads(file.read_text("utf-8")) if file.is_file() else {}

    def embedder(self, *, dtype: str = "float32", device: str = "") -> SentenceEmbedder:
        """The model as ponder uses it; loads at first use."""
        return SentenceEmbedder(
            self.model,
            revision=self.revision,
            form=self.form,
            prompts=self.prompts,
            dtype=dtype,
            device=device,
            trust=self.trust,
        )


def base_of(models: Models, name: str | None) -> Base:
    """What to train: a model by name, or the embedder of a set of models.

    Args:
        models: Their embedder's model, instructions and prompts are taken.
        name: Another model: a folder, weights that ponder pulls, or ``NAME`` or ``NAME@REVISION`` on the hub.

    Raises:
        BadArguments: `models` embed otherwise, and no name was given.
    """
    if name is not None:
        return Base(*resolved(name))
    spec = models.preset.embedder if isinstance(models, ChatModels) else None
    if not isinstance(spec, SentenceSpec):
        raise BadArguments(
            f"{models.name} embeds with no model of sentence-transformers",
            "--models",
            "name a model with --base, as in --base minilm",
        )
    folder = Path(spec.model).expanduser()
    return Base(
        str(folder.absolute()) if folder.is_dir() else spec.model,
        spec.revision,
        Format(**spec.format.model_dump()),
        {str(side): prompt for side, prompt in spec.prompts.items()},
        spec.remote_code,
    )


def resolved(name: str) -> tuple[str, str]:
    """Model and revision that a name stands for.

    Args:
        name: A folder, weights that ponder pulls, or ``NAME`` or ``NAME@REVISION`` on the hub.

    Raises:
        MissingDependency: Weights that ponder pulls cannot be had.

    Example:
        >>> resolved("Qwen/Qwen3-VL-2B-Instruct@89644892e4d85e24eaac8bacfd4f463576704203")[1][:8]
        '89644892'
    """
    from ponder.models.pins import pins
    from ponder.models.weights import ensure

    if name in pins():
        return str(ensure(name)), ""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder.absolute()), ""
    plain, _, revision = name.partition("@")
    return plain, revision


class Ruler:
    """How many tokens an input is, found with the model's processor alone: no weights are loaded.

    Args:
        base: The model.

    Raises:
        MissingDependency, ModelInvalid: Its tokenizer or processor cannot be had.
    """

    def __init__(self, base: Base) -> None:
        self.base = base

    @property
    def form(self) -> Format:
        """The base's."""
        return self.base.form

    @property
    def sees(self) -> bool:
        """Whether the model reads pictures."""
        return hasattr(self._processor, "image_processor")

    def tokens(self, given: Input, side: str) -> int:
        """Tokens that the model reads of an input of a side, its pictures' and its prompt's among them."""
        prompt = self.base.prompts.get(side, self._own_prompts.get(side)) or ""
        if not getattr(self._processor, "chat_template", None):
            count = len(self._tokenizer(prompt + given.text, verbose=False)["input_ids"])
            if given.pictures:
                return count + self._pictures(given)
            return min(count, self._most) if self._most else count
        shown: list[dict[str, str]] = [{"type": "image"} for _ in given.pictures]
        if given.text or not shown:
            shown.append({"type": "text", "text": given.text or " "})
        told = [{"role": "system", "content": [{"type": "text", "text": prompt}]}] if prompt else []
        told.append({"role": "user", "content": shown})
        rendered = self._processor.apply_chat_template(told, tokenize=False)
        if given.pictures and not hasattr(self._processor, "_get_num_multimodal_tokens"):
            # It does not count by sizes alone (SmolVLM): it has to work on the pictures.
            return len(self._processor(text=[rendered], images=[list(given.pictures)])["input_ids"][0])
        count = len(self._tokenizer(rendered, add_special_tokens=False, verbose=False)["input_ids"])
        # The mark that stands for a picture becomes all of its tokens.
        return count + (self._pictures(given) - len(given.pictures) if given.pictures else 0)

    def _pictures(self, given: Input) -> int:
        counts = getattr(self._processor, "_get_num_multimodal_tokens", None)
        if counts is None:
            # CLIPs read a picture of one size, whatever it was; 14-pixel patches of 336 are the most usual.
            return 24 * 24 * len(given.pictures)
        sizes = [(picture.height, picture.width) for picture in given.pictures]
        return int(sum(counts(image_sizes=sizes)["num_image_tokens"]))

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor

        with having(self.base.model, "an embedding model"):
            revision = self.base.revision or None
            read: Any = AutoProcessor
            return read.from_pretrained(self.base.backbone, **({"revision": revision} if revision else {}))

    @property
    def _tokenizer(self) -> Any:
        return getattr(self._processor, "tokenizer", self._processor)

    @cached_property
    def _most(self) -> int:
        """Where the model cuts plain text; 0 where it does not say."""
        for name in ("sentence_bert_config.json", "0_Transformer/sentence_bert_config.json"):
            if most := self.base.said(name).get("max_seq_length"):
                return int(most)
        most = int(getattr(self._tokenizer, "model_max_length", 0) or 0)
        return most if most < 2**20 else 0

    @cached_property
    def _own_prompts(self) -> dict[str, str]:
        return self.base.said("config_sentence_transformers.json").get("prompts") or {}
