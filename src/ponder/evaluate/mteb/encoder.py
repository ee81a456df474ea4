"""The embedder of a set of models as a model of mteb's that encodes: item + ECR in, one vector out."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.evaluate.mteb.meta import meta_of
from ponder.evaluate.mteb.rows import Rows, instruction_of
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.shelf.ingest import Ingest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class MtebEncoder:
    """mteb's `EncoderProtocol` over reasoner and embedder.

    Of a document with parts (passages, segments), the vector of the whole counts: `MtebSearch` has all.

    Args:
        models: What reasons and embeds.
        cache: Reasonings and vectors by content.
        folder: Where pictures are written that mteb holds in memory; a temporary one unless told.
    """

    def __init__(self, models: Models, cache: BlobCache, *, folder: Path | None = None) -> None:
        self.models = models
        self._rows = Rows(folder)
        self._ingest = Ingest(models, cache)

    @cached_property
    def mteb_model_meta(self) -> Any:
        """Mteb's record."""
        return meta_of(self.models, {})

    def encode(
        self, inputs: Any, *, task_metadata: Any = None, prompt_type: Any = None, **_: Any
    ) -> NDArray[np.float32]:
        """Vectors of a data loader's rows.

        Args:
            inputs: Batches with columns ``text``, ``title``, ``image``.
            task_metadata: Whose prompt is the queries' instruction.
            prompt_type: ``document`` has the rows reasoned about; whatever else are queries.

        Returns:
            float32 array of shape (rows, dim).
        """
        import numpy as np

        rows = [row for batch in inputs for row in _rows_of(batch)]
        if str(getattr(prompt_type, "value", prompt_type)) == "document":
            found = [self._document(row) for row in rows]
        else:
            instruction = instruction_of(task_metadata) if task_metadata is not None else ""
            found = [self._query(row, instruction) for row in rows]
        return np.stack(found) if found else np.zeros((0, self.models.embedder.dim), np.float32)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Dot products: a tensor of shape (rows of the first, rows of the second)."""
        import torch

        return torch.as_tensor(embeddings1) @ torch.as_tensor(embeddings2).T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Dot products row by row: a tensor of shape (rows,)."""
        import torch

        return (torch.as_tensor(embeddings1) * torch.as_tensor(embeddings2)).sum(-1)

    def _document(self, row: dict[str, Any]) -> NDArray[np.float32]:
        document = self._ingest.document(self._rows.item(row))
        whole: NDArray[np.float32] = self._ingest.embed(document, self._ingest.reason(document)).vectors[0]
        return whole

    def _query(self, row: dict[str, Any], instruction: str) -> NDArray[np.float32]:
        content = open_query(self._rows.query(row, instruction), Limits())
        vector: NDArray[np.float32] = self.models.embedder.embed_queries([content], [None])[0]
        return vector


def _rows_of(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a batch of columns; ids are not among them where mteb leaves them out."""
    names = [name for name in ("id", "text", "title", "image", "instruction") if name in batch]
    count = max((len(batch[name]) for name in names), default=0)
    return [
        {"id": str(number), **{name: batch[name][number] for name in names if len(batch[name]) == count}}
        for number in range(count)
    ]
