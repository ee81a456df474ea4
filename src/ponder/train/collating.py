"""From rows of a training set to what model and loss take: features, and who stands against whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ponder.embed.conditioned import Input
from ponder.embed.sentence import SentenceEmbedder
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.shelf.ingest import Ingest
from ponder.train.contrastive import Targets
from ponder.train.prepared import Prepared

_KEPT = 4096
"""Inputs of words alone that are kept between batches; pictures are opened again."""


class Collator:
    """Opens a batch's queries and documents, each once, through the embedder's own reading of them.

    Args:
        prepared: The training set.
        embedder: Its model's preprocessing is used.
        ingest: Opens documents and has their reasonings.
    """

    def __init__(self, prepared: Prepared, embedder: SentenceEmbedder, ingest: Ingest) -> None:
        self._prepared, self._embedder, self._ingest = prepared, embedder, ingest
        self._words: dict[tuple[str, int], Input] = {}

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        """A batch.

        Args:
            rows: ``{"row": place in Prepared.rows}``, as a data set of one column gives them.

        Returns:
            ``features``, a list of the model's features by side and kind of input, and ``label``, the fields
            of `Targets` over the vectors of all features in order.

        Raises:
            InputNotFound, InputInvalid: A file was changed or removed since it was made ready.
        """
        import torch

        chosen = [self._prepared.rows[each["row"]] for each in rows]
        queries = list(dict.fromkeys(row.query for row in chosen))
        documents = list(dict.fromkeys(number for row in chosen for number in row.documents))
        features: list[dict[str, Any]] = []
        places: list[list[int]] = []
        start = 0
        for side, numbers in (("query", queries), ("document", documents)):
            inputs = [self._input(side, number) for number in numbers]
            found = [0] * len(numbers)
            for members, given in self._embedder.kinds(inputs):
                # Neighbours of one length: a mini-batch is as wide as its longest.
                order = sorted(
                    range(len(members)), key=lambda each: self._tokens(side, numbers[members[each]])
                )
                features.append(
                    self._embedder.model.preprocess(
                        [given[each] for each in order], prompt=self._embedder.prompt(side)
                    )
                )
                for row, each in enumerate(order):
                    found[members[each]] = start + row
                start += len(members)
            places.append(found)
        at_query = {number: place for place, number in enumerate(queries)}
        at_document = {number: place for place, number in enumerate(documents)}
        pairs = [[at_query[row.query], at_document[row.documents[0]]] for row in chosen]
        targets = Targets(
            torch.tensor(places[0]),
            torch.tensor(places[1]),
            torch.tensor(pairs),
            *self._masks(queries, documents),
        )
        return {"features": features, "label": targets.fields()}

    def _masks(self, queries: Sequence[int], documents: Sequence[int]) -> tuple[Any, Any]:
        import torch

        asked = [self._prepared.queries[each] for each in queries]
        digests = [self._prepared.documents[each].digest for each in documents]
        against = torch.tensor([[digest not in each.spared for digest in digests] for each in asked])
        scores = [[each.scores.get(digest, float("nan")) for digest in digests] for each in asked]
        return against, torch.tensor(scores, dtype=torch.float32)

    def _tokens(self, side: str, number: int) -> int:
        known = self._prepared.queries if side == "query" else self._prepared.documents
        return known[number].tokens

    def _input(self, side: str, number: int) -> Input:
        kept = self._words.get((side, number))
        if kept is not None:
            return kept
        made = self._opened(side, number)
        if not made.pictures and len(self._words) < _KEPT:
            self._words[side, number] = made
        return made

    def _opened(self, side: str, number: int) -> Input:
        if side == "query":
            return self._embedder.query_input(open_query(self._prepared.queries[number].query, Limits()))
        document = self._ingest.document(self._prepared.documents[number].item)
        return self._embedder.document_input(document.content, self._ingest.reason(document))
