"""The embedder that is a chat model: hidden states of item and reasoning, through a head.

With the reasoner's engine this is TTE's unified model (one backbone reasons and embeds), with another's its
teacher or student.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ponder.embed.conditioned import Format, Input, document_inputs, prompt_of, query_input
from ponder.errors import BackendFailed
from ponder.models.engine import Reading
from ponder.records import Content, Embedded, Reasoning

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ponder.models.local.engine import LocalEngine
    from ponder.models.local.heads import Pooling

_VERSION = "backbone-1"


class BackboneEmbedder:
    """Embeds an item as the user's turn and its reasoning as the assistant's.

    Args:
        engine: The backbone.
        pooling: The head; see `ponder.models.local.heads`.
        weights: Of a learned head, a safetensors file.
        form: Instructions, and how much is shown.
        mark: What ends the assistant's words: the token that "last" takes; "" takes the model's own end.
    """

    def __init__(
        self,
        engine: LocalEngine,
        *,
        pooling: Pooling = "last",
        weights: str = "",
        form: Format | None = None,
        mark: str = "",
    ) -> None:
        self._engine, self._pooling, self._weights = engine, pooling, weights
        self._form, self._mark = form or Format(), mark

    @property
    def fingerprint(self) -> str:
        """Engine, head and format."""
        head = f"{self._pooling}{f'@{_digest(self._weights)}' if self._weights else ''}"
        return f"{self._engine.fingerprint}/{_VERSION}/{head}/{self._form.fingerprint}{self._mark}"

    @property
    def dim(self) -> int:
        """The backbone's width."""
        return int(self._engine.loaded.text_config.hidden_size)

    @cached_property
    def _head(self) -> Any:
        from ponder.models.local.heads import make_head

        return make_head(self._pooling, self._engine.loaded.inner, weights=self._weights)

    @property
    def reads_instructions(self) -> bool:
        """See `ponder.protocols.ReadsInstructions`."""
        return True

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """See `ponder.protocols.Embedder`."""
        return [self._document(c, r) for c, r in zip(contents, reasonings, strict=True)]

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """See `ponder.protocols.Embedder`."""
        import numpy as np

        if not contents:
            return np.zeros((0, self.dim), np.float32)
        pairs = zip(contents, reasonings, strict=True)
        return np.stack([self._vector(self.query_input(c, r)) for c, r in pairs])

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """See `ponder.protocols.PricesQueries`."""
        return self.tokens(self.query_input(content, reasoning))

    def reading(self, content: Content, reasoning: Reasoning) -> Reading:
        """See `ponder.models.engine.ShowsReading`."""
        rendered = self._rendered(self.document_input(content, reasoning))
        return Reading(tuple(rendered.ids), tuple(rendered.seen), self._engine.loaded.tokenizer.decode)

    @property
    def engine(self) -> LocalEngine:
        """The backbone."""
        return self._engine

    @property
    def sees(self) -> bool:
        """Whether the backbone reads pictures."""
        return "pictures" in self._engine.able

    @property
    def form(self) -> Format:
        """Instructions, and how much is shown."""
        return self._form

    def document_input(self, content: Content, reasoning: Reasoning) -> Input:
        """What the vector of a document's whole is made of."""
        return document_inputs(content, reasoning, self._form, sees=self.sees)[0]

    def query_input(self, content: Content, reasoning: Reasoning | None = None) -> Input:
        """What a query's vector is made of."""
        return query_input(content, reasoning, self._form, sees=self.sees)

    def tokens(self, given: Input, side: str = "") -> int:
        """Tokens that the backbone reads of an input; its weights are not needed for that."""
        return len(self._rendered(given).ids) + 1

    def states(self, given: Input) -> torch.Tensor:
        """Hidden states (tokens, width) of an input: what a head makes a vector of."""
        from ponder.models.local.states import states

        loaded = self._engine.loaded
        end = self._engine.token(self._mark) if self._mark else min(loaded.ends)
        return states(loaded, self._rendered(given), (end,))

    def _document(self, content: Content, reasoning: Reasoning) -> Embedded:
        import numpy as np

        inputs = document_inputs(content, reasoning, self._form, sees=self.sees)
        return Embedded(tuple(each.label for each in inputs), np.stack([self._vector(i) for i in inputs]))

    def _rendered(self, given: Input) -> Any:
        return self._engine.fitted(prompt_of(given, given.own, given.reasoning), 1)

    def _vector(self, given: Input) -> NDArray[np.float32]:
        import numpy as np
        import torch

        with torch.inference_mode():
            vector = self._head(self.states(given)).float()
            vector = torch.nn.functional.normalize(vector, dim=-1).cpu().numpy()
        if not np.isfinite(vector).all():
            raise BackendFailed("the vector is not finite", self._engine.fingerprint, "try dtype float32")
        return np.asarray(vector, np.float32)


def _digest(path: str) -> str:
    import hashlib
    from pathlib import Path

    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()[:8]
