"""Texts to unit vectors: all-MiniLM-L6-v2 (Apache-2.0), or another, by sentence-transformers, on CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import BadArguments, InputInvalid
from ponder.models import weights
from ponder.models.quiet import quiet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

DIM = 384
MAX_TOKENS = 256
"""What the model was trained for; longer texts are cut there, `[CLS]` and `[SEP]` included."""

VOCABULARY = 30522
"""Word pieces of BERT's vocabulary."""

_COMMONEST = 1996
_BATCH = 32


def rarity(pieces: Sequence[int]) -> NDArray[np.float32]:
    """How rare word pieces are, from 0 to 1: a stand-in for idf that needs no corpus.

    BERT's vocabulary is sorted by frequency from 1996 on; by Zipf's law the logarithm of the rank is the
    idf up to a factor.

    Returns:
        float32 (len(pieces),).

    Example:
        >>> rarity([1996, 30522]).tolist()
        [0.0, 1.0]
    """
    import numpy as np

    rank = np.maximum(np.asarray(pieces, np.int64) - _COMMONEST, 1)
    return (np.log(rank) / np.log(VOCABULARY - _COMMONEST)).clip(0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """A text's word pieces in their context: what late interaction compares.

    Attributes:
        vectors: float32 (n, 384): the last layer's states of the pieces of letters and digits, of unit norm.
        rarity: float32 (n,): how rare each of them is; see `rarity`.
        read: Tokens that went through the network, the two marks included.
    """

    vectors: NDArray[np.float32]
    rarity: NDArray[np.float32]
    read: int


class TextEncoder:
    """all-MiniLM-L6-v2. Cheap to make: weights load at first use.

    Args:
        folder: A SentenceTransformer folder; by default the weights of `name`, pulled if need be.
        name: Weights as `ponder.models.weights.ensure` takes them, of 384 dimensions: ``minilm``,
            ``path:FOLDER``, ``hf:OWNER/NAME@COMMIT``.
        layers: Only the first so many layers, a smaller encoder; None for all. MiniLM was not trained to
            be left early: this is a control, not a good small encoder.

    Raises:
        BadArguments: Fewer layers than one.
    """

    def __init__(self, folder: Path | None = None, name: str = "minilm", layers: int | None = None) -> None:
        if layers is not None and layers < 1:
            raise BadArguments(f"{layers} layers", "text encoder", "keep at least one")
        self._folder, self._name, self._layers = folder, name, layers

    @property
    def fingerprint(self) -> str:
        """The weights; known without loading them."""
        found = weights.fingerprint(self._name if self._folder is None else f"path:{self._folder}")
        return found if self._layers is None else f"{found}/{self._layers} layers"

    def encode(self, texts: Sequence[str], *, exact: bool = True) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Any texts; "" has a vector too.
            exact: Each text goes through the network alone, so that a vector is the same to the bit
                whatever else is embedded with it: an index that was interrupted and resumed equals an
                unbroken one. False pads batches of 32; vectors then differ by up to 2e-7. A name takes 2
                instead of 7 ms of one core, a sentence 9 instead of 12.

        Returns:
            float32 (len(texts), 384), rows of unit norm.
        """
        import numpy as np

        if not texts:
            return np.zeros((0, DIM), np.float32)
        batch = 1 if exact else _BATCH
        vectors = self._model.encode(list(texts), batch_size=batch, show_progress_bar=False)
        return np.asarray(vectors, np.float32)

    def states(self, text: str, longest: int = MAX_TOKENS) -> States:
        """A text's word pieces before they are averaged to one vector.

        Args:
            text: Goes through the network alone.
            longest: Tokens that are read, the two marks included; the rest is cut off.
        """
        import numpy as np
        import torch

        stack: Any = self._model[0]
        read = stack.tokenizer(
            text, truncation=True, max_length=min(longest, MAX_TOKENS), return_tensors="pt"
        ).to("cpu")
        with torch.inference_mode():
            states = stack.auto_model(**read).last_hidden_state[0].numpy()
        ids = read["input_ids"][0].tolist()
        rare = [self._rare.get(number) for number in ids]
        kept = [place for place, value in enumerate(rare) if value is not None]
        vectors = np.asarray(states[kept], np.float32)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return States(vectors, np.array([rare[place] for place in kept], np.float32), len(ids))

    def count(self, text: str) -> int:
        """Tokens that `encode` reads for `text`, the two marks and the cut at 256 included."""
        return len(self._model.tokenizer.encode(text, truncation=True, max_length=MAX_TOKENS))

    def pieces(self, text: str) -> list[int]:
        """Word pieces of letters and digits, of the whole text: no marks, no punctuation, no cut.

        MiniLM's pieces whatever the encoder: `rarity` and the words' block are made for its vocabulary.
        """
        tokenizer = self._worded
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False, truncation=False, verbose=False)
        return [i for i in ids if i in self._spoken]

    @cached_property
    def _spoken(self) -> frozenset[int]:
        vocabulary = self._worded.get_vocab()
        return frozenset(number for piece, number in vocabulary.items() if piece.removeprefix("##").isalnum())

    @cached_property
    def _rare(self) -> dict[int, float]:
        """The rarity of this encoder's own pieces of letters and digits, by number."""
        known = self._worded.get_vocab()
        spoken = {
            p: n for p, n in self._model.tokenizer.get_vocab().items() if p.removeprefix("##").isalnum()
        }
        # A piece that MiniLM's vocabulary lacks is a rare one.
        values = rarity([known.get(piece, VOCABULARY) for piece in spoken]).tolist()
        return dict(zip(spoken.values(), values, strict=True))

    @cached_property
    def _worded(self) -> Any:
        if self._folder is None and self._name == "minilm":
            return self._model.tokenizer
        from transformers import AutoTokenizer

        with quiet():
            return AutoTokenizer.from_pretrained(weights.ensure("minilm"), local_files_only=True)

    @cached_property
    def _model(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        folder = self._folder or weights.ensure(self._name)
        with quiet():
            model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        if model.get_embedding_dimension() != DIM:
            raise InputInvalid(
                f"an encoder of {model.get_embedding_dimension()} dimensions",
                str(folder),
                f"lite's meaning has {DIM}; others go into a preset's file (docs/models.md)",
            )
        if self._layers is not None:
            stack: Any = model[0]
            body = stack.auto_model
            body.encoder.layer = body.encoder.layer[: self._layers]
            body.config.num_hidden_layers = len(body.encoder.layer)
        return model
