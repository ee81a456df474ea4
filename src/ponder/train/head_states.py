"""Hidden states of a frozen backbone: computed once for each query and document, kept for the epochs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.embed.backbone import BackboneEmbedder
from ponder.embed.conditioned import Input
from ponder.errors import BackendFailed, first_line
from ponder.index.cache import cache_key
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.shelf.ingest import Ingest
from ponder.train.contrastive import Targets
from ponder.train.planned import Advance
from ponder.train.prepared import Prepared

if TYPE_CHECKING:
    from torch import Tensor


class States:
    """The states of a training set, a safetensors file each.

    Args:
        folder: Where they are kept; made when something is first written.
        prepared: The training set.
        embedder: The backbone.
        ingest: Opens documents and has their reasonings.
    """

    def __init__(self, folder: Path, prepared: Prepared, embedder: BackboneEmbedder, ingest: Ingest) -> None:
        self._folder, self._prepared = folder, prepared
        self._embedder, self._ingest = embedder, ingest

    def compute(self, advance: Advance) -> None:
        """Compute what is not there yet.

        Raises:
            BackendFailed: It cannot be written.
            InputNotFound, InputInvalid: A file was changed or removed since it was made ready.
        """
        import torch
        from safetensors.torch import save_file

        wanted = [("query", number) for number in range(len(self._prepared.queries))]
        wanted += [("document", number) for number in range(len(self._prepared.documents))]
        for done, (side, number) in enumerate(wanted, 1):
            file = self._file(side, number)
            if not file.is_file():
                with torch.inference_mode():
                    found = self._embedder.states(self._input(side, number)).cpu().contiguous()
                partial = file.with_suffix(".partial")
                try:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    save_file({"states": found}, partial)
                    partial.replace(file)
                except Exception as error:  # safetensors has errors of its own for a full disk
                    raise BackendFailed(first_line(error), str(file), "free some space") from error
            advance(done, len(wanted))

    def remove(self) -> None:
        """Remove them all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def of(self, side: str, number: int) -> Tensor:
        """States (tokens, width) of a query or document, float32."""
        from safetensors.torch import load_file

        return load_file(self._file(side, number))["states"].float()

    def batch(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        """A batch as loss and trainer take it.

        Args:
            rows: ``{"row": place in Prepared.rows}``.

        Returns:
            ``features``, one of all queries and one of all documents, each with ``states`` (inputs, tokens,
            width), padded on the right, and ``attention_mask``; ``label``, the fields of `Targets`.
        """
        import torch

        prepared = self._prepared
        chosen = [prepared.rows[each["row"]] for each in rows]
        queries = list(dict.fromkeys(row.query for row in chosen))
        documents = list(dict.fromkeys(number for row in chosen for number in row.documents))
        digests = [prepared.documents[each].digest for each in documents]
        spared = [prepared.queries[each].spared for each in queries]
        targets = Targets(
            torch.arange(len(queries)),
            len(queries) + torch.arange(len(documents)),
            torch.tensor([[queries.index(row.query), documents.index(row.documents[0])] for row in chosen]),
            torch.tensor([[digest not in some for digest in digests] for some in spared]),
            torch.full((len(queries), len(documents)), torch.nan),
        )
        features = [
            _padded([self.of(side, number) for number in numbers])
            for side, numbers in (("query", queries), ("document", documents))
        ]
        return {"features": features, "label": targets.fields()}

    def _file(self, side: str, number: int) -> Path:
        known = self._prepared
        what = known.queries[number].key if side == "query" else known.documents[number].digest
        return self._folder / f"{cache_key(what='states', side=side, of=what)}.safetensors"

    def _input(self, side: str, number: int) -> Input:
        if side == "query":
            return self._embedder.query_input(open_query(self._prepared.queries[number].query, Limits()))
        document = self._ingest.document(self._prepared.documents[number].item)
        return self._embedder.document_input(document.content, self._ingest.reason(document))


def headed(head: Any, width: int) -> Any:
    """A head as `ponder.train.contrastive.make_loss` takes a model: from features to vectors.

    Args:
        head: From states (tokens, width) to a vector (width).
        width: Of the backbone.
    """
    import torch

    class Headed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = head

        def get_embedding_dimension(self) -> int:
            return width

        def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
            lengths = features["attention_mask"].sum(1).tolist()
            rows = zip(features["states"], lengths, strict=True)
            return {"sentence_embedding": torch.stack([self.head(row[:length]) for row, length in rows])}

    return Headed()


def _padded(some: Sequence[Tensor]) -> dict[str, Tensor]:
    import torch

    states = torch.nn.utils.rnn.pad_sequence(list(some), batch_first=True)
    lengths = torch.tensor([len(each) for each in some])
    mask = torch.arange(states.shape[1])[None] < lengths[:, None]
    return {"states": states, "attention_mask": mask.long()}
