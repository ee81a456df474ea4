"""The index in Qdrant: one point an item, its parts together as one multivector."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.index.filters import FILTER_COLUMNS
from ponder.index.mirror import FilterMirror, item_key
from ponder.index.qdrant_points import array_of, guarded, point_of
from ponder.index.rows import Source, stored_row, stored_source, unsummed
from ponder.index.scores import checked_query, checked_rows
from ponder.index.stored import EXACT, IndexState
from ponder.index.widening import Nearest, widened
from ponder.records import Embedded, Match, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient
    from qdrant_client.models import Filter, PointStruct, Record

_EF = 200
_AT_ONCE = 1000
_BYTES_AT_ONCE = 24 << 20
"""Qdrant takes requests up to 32 MiB unless it is told otherwise."""

_FACETS = 100_000


class QdrantIndex:
    """Rows in a collection of Qdrant (`protocols.Index`).

    An item is one point: it is replaced whole, and Qdrant's MAX_SIM finds it by its best part. Qdrant scans
    a segment until it is large enough for HNSW, whose candidates are scored again from the stored vectors:
    scores are those of `ExactIndex` to the last bit. Filters are evaluated by Lance over a copy of the
    items' columns (`FilterMirror`). Qdrant has no transactions: an item is there whole or not at all, and
    so is an `add` of up to 24 MiB once it is over, but a reader may see a part of it on the way.

    Args:
        client: Of a server, or in local mode (to try things out).
        name: Of the collection; it is made if need be.
        dim: Length of the vectors.
        create: Whether to make the collection when there is none.
        exact_rows: From so many parts on, a segment is indexed.
        effort: hnsw_ef of a search that names none; 0 for 200.

    Raises:
        InputNotFound: There is no collection and `create` is false.
        InputInvalid: It holds vectors of another length.
        BackendFailed: The server cannot be reached.
    """

    def __init__(
        self,
        client: QdrantClient,
        name: str,
        dim: int,
        *,
        create: bool = True,
        exact_rows: int = 50_000,
        effort: int = 0,
    ) -> None:
        self.dim, self.name = dim, name
        self._client, self._effort = client, effort or _EF
        self._mirror = FilterMirror()
        # What local mode has no use for, it warns of.
        self._server = not hasattr(client._client, "collections")
        self._threshold = max(1, exact_rows * dim * 4 // 1024)
        with self._guard("open"):
            if not client.collection_exists(name):
                if not create:
                    raise InputNotFound("there is no index", name, "add some files first")
                self._make()
            found = getattr(client.get_collection(name).config.params.vectors, "size", None)
        if found != dim:
            raise InputInvalid(
                f"the index has vectors of {found} dimensions, not {dim}",
                name,
                "open it with the models that it was made with, or give another name",
            )

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows, replacing those with the same ids; up to 24 MiB all in or none.

        Raises:
            InputInvalid: A row that cannot be stored; nothing is changed.
            BackendFailed: The server failed; of a larger add the first items may be stored.
        """
        new = checked_rows(rows, self.dim)
        if not new:
            return
        with self._guard("write"):
            written = max(time.time_ns(), self._latest() + 1)
        size = 0
        points: list[PointStruct] = []
        batches = [points]
        for row in new.values():
            point, bytes_ = point_of(row, written)
            if points and size + bytes_ > _BYTES_AT_ONCE:
                points, size = [], 0
                batches.append(points)
            points.append(point)
            size += bytes_
        for batch in batches:
            with self._guard("write"):
                self._client.upsert(self.name, batch, wait=True)

    def remove(self, ids: Collection[str]) -> int:
        """Remove items by id; the number that were there."""
        there: list[Any] = [each.id for each in self._retrieve(list(dict.fromkeys(ids)), [])]
        for start in range(0, len(there), _AT_ONCE):
            with self._guard("write"):
                self._client.delete(self.name, there[start : start + _AT_ONCE], wait=True)
        return len(there)

    def remove_where(self, where: str) -> int:
        """Remove the items that a filter keeps; their number.

        Raises:
            InputInvalid: An invalid filter; nothing is removed.
        """
        return self.remove(self._kept(where))

    def search(
        self, vector: NDArray[np.float32], k: int, where: str | None = None, *, effort: int | None = None
    ) -> list[Match]:
        """See `ponder.index.stored.StoredIndex`; where segments are indexed, among HNSW's candidates."""
        query = checked_query(vector, self.dim, k)
        if where is not None:
            self._mirror.check(where)
        if k == 0:
            return []
        keys = None if where is None else self._only(self._kept(where))
        with self._guard("search"):
            found = self._search(query, k, keys, self._effort if effort is None else effort)
            if len(found) < k and effort != EXACT and self._server:
                found = self._search(query, k, keys, EXACT)
        return found

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        columns = ["digest", "record", "source", "labels"]
        names = {str(item_key(name)): name for name in ids}
        rows = {}
        for each in self._retrieve(list(dict.fromkeys(ids)), columns, vectors=True):
            name, held = names[str(each.id)], each.payload or {}
            record, digest, source = (held.get(column, "") for column in ("record", "digest", "source"))
            embedded = Embedded(tuple(held.get("labels") or ()), array_of(each.vector))
            rows[name] = stored_row(name, record, embedded, digest, source)
        return [rows[name] for name in ids if name in rows]

    def __len__(self) -> int:
        with self._guard("read"):
            return self._count()

    @property
    def parts(self) -> int:
        """Number of vectors."""
        return sum(int(value) * count for value, count in self._facet("parts"))

    @property
    def stamp(self) -> str:
        """A text that changes with every change: how many items there are, and when the last was written."""
        # Each add is later than all before it, while it goes on there are more and more of the last one, and
        # a removal leaves fewer.
        with self._guard("read"):
            latest = self._latest()
            return f"{latest}:{self._count()}:{self._count(latest)}"

    def counts(self) -> dict[str, int]:
        """Number of items by kind."""
        return {str(value): count for value, count in sorted(self._facet("kind"))}

    def sources(self) -> list[Source]:
        """Id, digest and bookkeeping of every item, without reasoning and vectors."""
        found = self._scroll(["id", "digest", "source"])
        return [
            stored_source(held.get("id", ""), held.get("digest", ""), held.get("source", ""))
            for held in found
        ]

    def unsummed(self, ids: Sequence[str]) -> int:
        """How many of these rows have no checksum."""
        return unsummed((each.payload or {}).get("source", "") for each in self._retrieve(ids, ["source"]))

    def state(self) -> IndexState:
        """How the segments are indexed."""
        with self._guard("read"):
            info = self._client.get_collection(self.name)
        parts, indexed = self.parts, int(info.indexed_vectors_count or 0)
        if not indexed:
            return IndexState("exact", "", 0, parts, pieces=info.segments_count)
        return IndexState(
            "HNSW", "hnsw_ef", self._effort, parts, max(0, parts - indexed), info.segments_count
        )

    def compact(self) -> None:
        """Wake Qdrant's optimiser, which merges and indexes segments on its own."""
        from qdrant_client import models

        with self._guard("compact"):
            change = models.OptimizersConfigDiff(indexing_threshold=self._threshold)
            self._client.update_collection(self.name, optimizers_config=change)

    def reindex(self) -> None:
        """As `compact`: Qdrant indexes again what has changed."""
        self.compact()

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def _make(self) -> None:
        from qdrant_client import models

        best_part = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        self._client.create_collection(
            self.name,
            vectors_config=models.VectorParams(
                size=self.dim, distance=models.Distance.DOT, multivector_config=best_part
            ),
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=self._threshold),
        )
        if self._server:
            for field, kind in {"kind": "keyword", "parts": "integer", "written": "integer"}.items():
                self._client.create_payload_index(
                    self.name, field, field_schema=models.PayloadSchemaType(kind), wait=True
                )

    def _search(self, query: NDArray[np.float32], k: int, keys: Filter | None, effort: int) -> list[Match]:
        import numpy as np
        from qdrant_client import models

        how = None
        if self._server:
            exact = effort == EXACT
            how = models.SearchParams(exact=exact, hnsw_ef=None if exact else effort)

        def fetch(limit: int) -> Nearest:
            found = self._client.query_points(
                self.name,
                query=[query.tolist()],
                query_filter=keys,
                limit=limit,
                search_params=how,
                with_payload=["id", "labels"],
                with_vectors=True,
            ).points
            vectors = [array_of(each.vector) for each in found]
            held = [(each.payload["id"], each.payload["labels"]) for each in found if each.payload]
            return Nearest(
                ids=[name for name, labels in held for _ in labels],
                part_nos=[number for _, labels in held for number in range(len(labels))],
                labels=[label for _, labels in held for label in labels],
                vectors=np.concatenate(vectors) if vectors else np.zeros((0, self.dim), np.float32),
                found=len(found),
                last=found[-1].score if found else 0.0,
            )

        return widened(fetch, query, k)

    def _kept(self, where: str) -> set[str]:
        def load() -> Mapping[str, list[Any]]:
            rows = self._scroll(list(FILTER_COLUMNS))
            return {name: [row.get(name) for row in rows] for name in FILTER_COLUMNS}

        return self._mirror.ids(where, self.stamp, load)

    def _only(self, ids: Collection[str]) -> Filter:
        from qdrant_client import models

        return models.Filter(must=[models.HasIdCondition(has_id=[str(item_key(name)) for name in ids])])

    def _latest(self) -> int:
        from qdrant_client import models

        order = models.OrderBy(key="written", direction=models.Direction.DESC)
        found, _ = self._client.scroll(self.name, limit=1, order_by=order, with_payload=["written"])
        return int(found[0].payload["written"]) if found and found[0].payload else 0

    def _count(self, written: int | None = None) -> int:
        from qdrant_client import models

        only = None
        if written is not None:
            match = models.FieldCondition(key="written", match=models.MatchValue(value=written))
            only = models.Filter(must=[match])
        return int(self._client.count(self.name, count_filter=only, exact=True).count)

    def _facet(self, field: str) -> list[tuple[Any, int]]:
        with self._guard("read"):
            hits = self._client.facet(self.name, field, limit=_FACETS, exact=True).hits
        return [(hit.value, hit.count) for hit in hits]

    def _scroll(self, columns: list[str]) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = []
        offset: Any = None
        while True:
            with self._guard("read"):
                found, offset = self._client.scroll(
                    self.name, limit=_AT_ONCE, offset=offset, with_payload=columns
                )
            rows += [each.payload or {} for each in found]
            if offset is None:
                return rows

    def _retrieve(self, ids: Sequence[str], columns: list[str], *, vectors: bool = False) -> Iterator[Record]:
        for start in range(0, len(ids), _AT_ONCE):
            keys = [str(item_key(name)) for name in ids[start : start + _AT_ONCE]]
            with self._guard("read"):
                found = self._client.retrieve(
                    self.name, keys, with_payload=columns or False, with_vectors=vectors
                )
            yield from found

    def _guard(self, doing: str) -> AbstractContextManager[None]:
        return guarded(doing, self.name)
