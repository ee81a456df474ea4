"""The embedder behind HTTP: ``/embeddings``, with ``messages`` for pictures, as vLLM takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ponder.embed.conditioned import (
    Format,
    Input,
    document_inputs,
    embedded_of,
    prompt_of,
    query_input,
)
from ponder.errors import BackendFailed
from ponder.models.remote.client import Client, Problem
from ponder.models.remote.talk import bound, messages
from ponder.records import Content, Embedded, Reasoning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = "remote-embedder-1"


class RemoteEmbedder:
    """Embeds on a server.

    Args:
        url: Where its API begins.
        model: As the server names it.
        dim: Length of its vectors.
        key_env: Environment variable with the key.
        pictures: Whether it takes pictures (vLLM: ``messages`` in place of ``input``).
        concurrency: Requests at a time.
        timeout: Seconds for one request.
        retries: Tries after the first.
        batch: Texts in one request.
        form: Instructions, and how much is shown.
    """

    def __init__(
        self,
        url: str,
        model: str,
        dim: int,
        *,
        key_env: str = "OPENAI_API_KEY",
        pictures: bool = False,
        concurrency: int = 8,
        timeout: float = 120.0,
        retries: int = 5,
        batch: int = 32,
        form: Format | None = None,
    ) -> None:
        self._url, self._model, self._dim, self._pictures = url, model, dim, pictures
        self._batch, self._form = batch, form or Format()
        self._client = Client(url, key_env=key_env, timeout=timeout, retries=retries, concurrency=concurrency)

    @property
    def fingerprint(self) -> str:
        """Server, model and format; no key."""
        sees = "pictures" if self._pictures else "words"
        return f"{_VERSION}/{self._client.server}/{self._model}/{self._dim}/{sees}/{self._form.fingerprint}"

    @property
    def dim(self) -> int:
        """As it was told."""
        return self._dim

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """See `ponder.protocols.Embedder`. Parts of all contents are sent together."""
        pairs = zip(contents, reasonings, strict=True)
        inputs = [document_inputs(c, r, self._form, sees=self._pictures) for c, r in pairs]
        return embedded_of(inputs, self._vectors([each for some in inputs for each in some]))

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """See `ponder.protocols.Embedder`."""
        pairs = zip(contents, reasonings, strict=True)
        return self._vectors([query_input(c, r, self._form, sees=self._pictures) for c, r in pairs])

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """See `ponder.protocols.PricesQueries`; an upper bound in bytes."""
        given = query_input(content, reasoning, self._form, sees=self._pictures)
        return bound(prompt_of(given, given.text))

    def _vectors(self, inputs: Sequence[Input]) -> NDArray[np.float32]:
        import numpy as np

        rows = np.zeros((len(inputs), self._dim), np.float32)
        shown = [number for number, each in enumerate(inputs) if each.pictures]
        said = [number for number, each in enumerate(inputs) if not each.pictures]
        blocks = [said[start : start + self._batch] for start in range(0, len(said), self._batch)]
        blocks += [[number] for number in shown]
        bodies = [
            {"model": self._model, "encoding_format": "float", **self._given([inputs[n] for n in block])}
            for block in blocks
        ]
        answers = self._client.many("/embeddings", bodies)
        for block, answer in zip(blocks, answers, strict=True):
            rows[block] = self._read(answer, len(block))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(rows).all() or not lengths.all():
            raise BackendFailed("a vector is empty or not finite", self._url, "see the server's precision")
        return np.asarray(rows / lengths, np.float32)

    def _given(self, inputs: Sequence[Input]) -> dict[str, Any]:
        if inputs[0].pictures:
            return {"messages": messages(prompt_of(inputs[0], inputs[0].text))}
        texts = [f"Instruct: {each.instruction}\nQuery: {each.text}" for each in inputs]
        return {"input": texts}

    def _read(self, answer: dict[str, Any] | Problem, count: int) -> NDArray[np.float32]:
        import numpy as np

        if isinstance(answer, Problem):
            raise answer.error(self._url)
        try:
            data = sorted(answer["data"], key=lambda each: int(each["index"]))
            vectors = np.array([each["embedding"] for each in data], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise BackendFailed("the answer lacks the field data[].embedding", self._url) from error
        if vectors.shape != (count, self._dim):
            what = f"the server gave vectors of shape {vectors.shape}, not {(count, self._dim)}"
            raise BackendFailed(what, self._url, "set dim to the model's, or take its own model")
        return vectors
