"""A BEIR folder with media as a retrieval task of mteb's, so that any of its models runs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid
from ponder.evaluate.mteb.rows import need_mteb
from ponder.media.content import open_content, open_query
from ponder.media.limits import Limits

if TYPE_CHECKING:
    from ponder.evaluate.beir import Dataset
    from ponder.records import Content


def beir_task(dataset: Dataset, *, limits: Limits | None = None) -> Any:
    """A task with the data set's documents, queries and judgements.

    mteb holds rows as text and pictures: pages are rendered, and clips, which it would need as sound and
    frames of its own, are refused.

    Args:
        dataset: Of `load_beir`.
        limits: Bounds on what is opened.

    Raises:
        InputInvalid: The data set has clips, or queries that exclude documents: mteb knows no such thing.
        MissingDependency: mteb is not installed.
    """
    need_mteb()
    from datasets import Dataset as Table
    from datasets import Features, Image, Value
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    bounds = limits or Limits()
    if any(each.exclude for each in dataset.queries):
        raise InputInvalid("queries that exclude documents", dataset.name, "mteb has no such thing")
    documents = [(item.id, open_content(item, bounds)) for item in dataset.items]
    queries = [(each.query.id, open_query(each.query, bounds)) for each in dataset.queries]
    for name, content in (*documents, *queries):
        if content.kind == "video":
            raise InputInvalid("mteb takes no clips of ours", f"{dataset.name}: {name}", "leave them out")

    def table(rows: list[tuple[str, Content]]) -> Any:
        columns: dict[str, list[Any]] = {
            "id": [name for name, _ in rows],
            "text": [content.text for _, content in rows],
        }
        features = {"id": Value("string"), "text": Value("string")}
        if any(content.images for _, content in rows):
            columns["image"] = [content.images[0] if content.images else None for _, content in rows]
            features["image"] = Image()
        return Table.from_dict(columns, features=Features(features))

    seen = [any(content.images for _, content in rows) for rows in (queries, documents)]
    category = "2".join("it" if pictured else "t" for pictured in seen)

    class Task(AbsTaskRetrieval):
        """Its data are given, not fetched."""

        metadata = TaskMetadata(
            name=f"{dataset.name}-{dataset.split}".replace("/", "-"),
            description=f"The data set {dataset.name}, split {dataset.split}.",
            dataset={"path": dataset.name, "revision": "local"},
            type="Any2AnyRetrieval" if any(seen) else "Retrieval",
            category=category,  # type: ignore[arg-type]
            modalities=["text", "image"] if any(seen) else ["text"],
            eval_splits=[dataset.split],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_5",
        )

        def load_data(self, *_: Any, **__: Any) -> None:
            self.dataset = {
                "default": {
                    dataset.split: {
                        "corpus": table(documents),
                        "queries": table(queries),
                        "relevant_docs": {each.query.id: dict(each.grades) for each in dataset.queries},
                        "top_ranked": None,
                    }
                }
            }
            self.data_loaded = True

    return Task()
