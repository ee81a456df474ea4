"""The embedder behind HTTP: ``/embeddings`` of texts, or of ``messages``, as vLLM takes pictures."""

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

_VERSION = "remote-embedder-2"


class RemoteEmbedder:
    """Embeds on a server.

    Args:
        url: Where its API begins.
        model: As the server names it.
        dim: Length of its vectors.
        key_env: Environment variable with the key.
        pictures: It sees, and takes ``messages`` in place of ``input`` (vLLM). Words go that way too, one
            request each, so that the model's template is around all that is compared.
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
        self._model, self._dim, self._pictures = model, dim, pictures
        self._batch, self._form = batch, form or Format()
        self._client = Client(url, key_env=key_env, timeout=timeout, retries=retries, concurrency=concurrency)
        self._url = self._client.url

    @property
    def fingerprint(self) -> str:
        """Server, model and format; no key."""
        sees = "pictures" if self._pictures else "words"
        return f"{_VERSION}/{self._url}/{self._model}/{self._dim}/{sees}/{self._form.fingerprint}"

    @property
    def dim(self) -> int:
        """As it was told."""
        return self._dim

    @property
    def reads_instructions(self) -> bool:
        """See `ponder.protocols.ReadsInstructions`."""
        return True

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
        most = 1 if self._pictures else self._batch
        blocks = [range(start, min(start + most, len(inputs))) for start in range(0, len(inputs), most)]
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
        if not self._pictures:
            return {"input": [_told(each) for each in inputs]}
        [given] = inputs
        # As Qwen3-VL-Embedding is asked on vLLM: its vector stands where the assistant would begin.
        said = [*messages(prompt_of(given, given.text)), {"role": "assistant", "content": ""}]
        return {"messages": said, "continue_final_message": True, "add_generation_prompt": False}

    def _read(self, answer: dict[str, Any] | Problem, count: int) -> NDArray[np.float32]:
        import numpy as np

        if isinstance(answer, Problem):
            raise answer.error(self._url)
        try:
            data = {int(each["index"]): each for each in answer["data"]}
            if sorted(data) != list(range(count)):
                what = f"the server gave vectors {sorted(data)} for {count} inputs"
                raise BackendFailed(what, self._url, "see data[].index of its answer")
            vectors = np.array([data[number]["embedding"] for number in range(count)], np.float32)
        except (KeyError, TypeError, ValueError) as error:
            what = "the answer lacks the field data[].index or data[].embedding, or it holds no numbers"
            raise BackendFailed(what, self._url, "see that url is an embeddings API's") from error
        if vectors.shape != (count, self._dim):
            what = f"the server gave vectors of shape {vectors.shape}, not {(count, self._dim)}"
            raise BackendFailed(what, self._url, "set dim to the model's, or take its own model")
        return vectors


def _told(given: Input) -> str:
    return f"Instruct: {given.instruction}\nQuery: {given.text}" if given.instruction else given.text
