"""Any sentence-transformers model as the embedder: text models, CLIPs, and models that see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.embed.conditioned import Format, Input, document_inputs, embedded_of, query_input
from ponder.errors import BackendFailed, ModelInvalid
from ponder.models.engine import Reading
from ponder.models.sentence import having, named, told
from ponder.records import Content, Embedded, Reasoning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = "sentence-1"


class SentenceEmbedder:
    """Embeds with `SentenceTransformer`: words with their reasoning, and pictures where the model sees.

    A model that reads words *or* pictures, but not both in one input (CLIP), embeds pictures alone, and the
    reasoning as a part of its own beside them, so that either can be found.

    Args:
        model: A folder or a name on the model hub.
        revision: Commit on the hub.
        form: Instructions, and how much is shown.
        prompts: Instructions by side, "document" and "query", in the model's own words; they go where the
            model's prompts go. Without, the model's own prompts of those names, if it has them.
        dim: Keep so many dimensions (Matryoshka models); 0 keeps all.
        device: As torch writes it; "" lets the library choose.
        dtype: "float32", "bfloat16", or "" for the model's own.
        batch: Inputs at a time.
        trust: Run code that comes with the model: see `ponder.models.local.settings.TRUST`.
        instructed: An item's or a query's own instruction stands in place of the model's prompt: for models
            that were trained to be told their task.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str = "",
        form: Format | None = None,
        prompts: Mapping[str, str] | None = None,
        dim: int = 0,
        device: str = "",
        dtype: str = "",
        batch: int = 16,
        trust: str = "",
        instructed: bool = False,
    ) -> None:
        self._name, self._revision, self._form = model, revision, form or Format()
        self._prompts, self._dim, self._device = dict(prompts or {}), dim, device
        self._dtype, self._batch, self._trust = dtype, batch, trust
        self._instructed = instructed

    @cached_property
    def fingerprint(self) -> str:
        """Model, prompts, format."""
        name = named(self._name, self._revision)
        how = hashlib.sha256(repr((sorted(self._prompts.items()), self._dim, self._dtype)).encode())
        told = "+told" if self._instructed else ""
        return f"{name}/{_VERSION}-{how.hexdigest()[:8]}/{self._form.fingerprint}{told}"

    @property
    def reads_instructions(self) -> bool:
        """See `ponder.protocols.ReadsInstructions`."""
        return self._instructed

    @property
    def dim(self) -> int:
        """The model's, or what is kept of it."""
        return int(self._dim or self.model.get_embedding_dimension())

    @cached_property
    def model(self) -> Any:
        """The model; loads it."""
        return load(self._name, self._revision, self._device, self._dtype, self._dim, self._trust)

    @cached_property
    def _sees(self) -> bool:
        return bool(self.model.supports("image"))

    @cached_property
    def _joins(self) -> bool:
        """Whether words and pictures can be one input."""
        return self._sees and (self.model.supports(("image", "text")) or self.model.supports("message"))

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """See `ponder.protocols.Embedder`. All parts of all contents go into batches together."""
        pairs = zip(contents, reasonings, strict=True)
        inputs = [self._document(content, reasoning) for content, reasoning in pairs]
        return embedded_of(inputs, self._encode([each for some in inputs for each in some], "document"))

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """See `ponder.protocols.Embedder`."""
        pairs = zip(contents, reasonings, strict=True)
        return self._encode([self.query_input(c, r) for c, r in pairs], "query")

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """See `ponder.protocols.PricesQueries`: all that the model reads, pictures included."""
        given = self.query_input(content, reasoning)
        # The prompt is not counted unless it is the query's own: it is the same for every query.
        own = self._own(given)
        read = self.model.preprocess([self._given(given)], **({"prompt": own} if own else {}))
        ids = read.get("input_ids")
        return int(ids.shape[-1]) if ids is not None else 0

    def reading(self, content: Content, reasoning: Reasoning) -> Reading:
        """See `ponder.models.engine.ShowsReading`."""
        prompt = self.prompt("document")
        read = self.model.preprocess([self._given(self.document_input(content, reasoning))], prompt=prompt)
        ids = read.get("input_ids")
        tokens = tuple(ids[0].tolist()) if ids is not None else ()
        return Reading(tokens, (), self.model.tokenizer.decode)

    @property
    def dtype(self) -> str:
        """The arithmetic; loads the model."""
        return str(self.model.dtype)

    def document_input(self, content: Content, reasoning: Reasoning) -> Input:
        """What the vector of a document's whole is made of; its parts' are made of less."""
        return self._document(content, reasoning)[0]

    def query_input(self, content: Content, reasoning: Reasoning | None = None) -> Input:
        """What a query's vector is made of."""
        return query_input(content, reasoning, self._form, sees=self._sees)

    def kinds(self, inputs: Sequence[Input]) -> Iterator[tuple[list[int], list[Any]]]:
        """Inputs of one kind at a time: a batch has words, pictures or both.

        Yields:
            Places in `inputs`, and what stands there in the library's terms.
        """
        kinds: dict[tuple[bool, bool], list[int]] = {}
        for number, each in enumerate(inputs):
            kinds.setdefault((bool(each.pictures), len(each.pictures) > 1), []).append(number)
        for numbers in kinds.values():
            yield numbers, [self._given(inputs[number]) for number in numbers]

    def prompt(self, side: str) -> str | None:
        """Words before what is embedded: those told, or else the model's own of that name."""
        if side in self._prompts:
            return self._prompts[side]
        return (getattr(self.model, "prompts", None) or {}).get(side)

    def _document(self, content: Content, reasoning: Reasoning) -> list[Input]:
        inputs = document_inputs(content, reasoning, self._form, sees=self._sees)
        if self._joins or not content.images or not self._sees:
            return inputs
        whole = inputs[0]
        said = [Input(whole.instruction, (), whole.text, label="chars=0-0")] if whole.text else []
        return [Input(each.instruction, each.pictures, "", label=each.label) for each in inputs[:1]] + said

    def _given(self, given: Input) -> Any:
        """An input in the library's terms: text, a picture, or both."""
        if not given.pictures or not self._sees:
            return given.text or " "
        if not self._joins and given.text:
            return given.text
        if len(given.pictures) > 1:
            return _message(given)
        return {"image": given.pictures[0], **({"text": given.text} if given.text else {})}

    def _encode(self, inputs: Sequence[Input], side: str) -> NDArray[np.float32]:
        import numpy as np

        if not inputs:
            return np.zeros((0, self.dim), np.float32)
        rows = np.zeros((len(inputs), self.dim), np.float32)
        for own in dict.fromkeys(self._own(each) for each in inputs):
            places = [number for number, each in enumerate(inputs) if self._own(each) == own]
            for numbers, given in self.kinds([inputs[place] for place in places]):
                rows[[places[number] for number in numbers]] = self.model.encode(
                    given,
                    prompt=own or self.prompt(side),
                    batch_size=self._batch,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
        if not np.isfinite(rows).all():
            raise BackendFailed("a vector is not finite", self._name, "try dtype float32")
        return rows

    def _own(self, given: Input) -> str:
        """The instruction that an input came with, where it counts."""
        usual = (self._form.document, self._form.query)
        return given.instruction if self._instructed and given.instruction not in usual else ""


def _message(given: Input) -> Any:
    parts: list[dict[str, Any]] = [{"type": "image", "image": picture} for picture in given.pictures]
    if given.text:
        parts.append({"type": "text", "text": given.text})
    return [{"role": "user", "content": parts}]


def load(name: str, revision: str, device: str, dtype: str, dim: int, trust: str) -> Any:
    """A SentenceTransformer; a chat model's folder gets the last token's state and unit norm, never a mean.

    Raises:
        MissingDependency: It cannot be had.
        InputInvalid: It is no embedding model, or an adapter whose base is not what it was trained on.
    """
    from sentence_transformers import SentenceTransformer

    folder = Path(name).expanduser()
    check_base(folder)
    with having(name, "an embedding model"):
        if folder.is_dir() and not (folder / "modules.json").is_file():
            from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

            reads: Any = Transformer(str(folder))
            width = reads.get_embedding_dimension()
            return SentenceTransformer(
                modules=[reads, Pooling(width, "lasttoken"), Normalize()],
                device=device or None,
                truncate_dim=dim or None,
            )
        where, options = told(name, revision, device, dtype, trust)
        return SentenceTransformer(where, truncate_dim=dim or None, **options)


def check_base(folder: Path) -> None:
    """See that an adapter's base is the one it was trained on; ``base.json`` in its folder says which.

    Raises:
        ModelInvalid: It is another.
    """
    file = folder / "base.json"
    if not file.is_file():
        return
    told = json.loads(file.read_text("utf-8"))
    there = named(told["model"], told["revision"])
    if there != told["digest"]:
        how = "put the base back that it was trained on, or train anew"
        raise ModelInvalid(f"the adapter fits {told['digest']}, the base is {there}", str(folder), how)
