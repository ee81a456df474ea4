"""Writes the tiny benchmark as the official one lies on a disk: ``hf/OWNER/NAME`` and ``data_basedir/``."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ponder.testing.mmeb import images, videos
from ponder.testing.mmeb.things import drawn, name_of

Rows = Sequence[Mapping[str, Any]]


def make_layout(folder: Path | str, *, queries: int = 3) -> tuple[str, ...]:
    """Write 23 tasks, every family of the benchmark among them.

    All formats that rows may come in are there: Parquet with a README that says which file is which, Parquet
    under the names that the hub takes by default, JSON, JSON lines and CSV.

    Args:
        folder: Where to; it is made where it is missing.
        queries: Of each task, 3 to 12. MVBench has one for each of its sub-tasks.

    Returns:
        The tasks' names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as made:
        ...     len(make_layout(made)), (Path(made) / "hf" / "VLM2Vec" / "MSVD").is_dir()
        (23, True)
    """
    hub, media = Path(folder) / "hf", Path(folder) / "data_basedir"
    names = []
    described: dict[str, list[tuple[str, str, str]]] = {}
    for name, rows in images.tables(media / "image-tasks", queries).items():
        file = f"{name}/test-00000-of-00001.parquet"
        _write(hub / "ziyjiang" / "MMEB_Test_Instruct" / file, rows)
        described.setdefault("ziyjiang/MMEB_Test_Instruct", []).append((name, "test", f"{name}/test-*"))
        names.append(name)
    for name, (file, rows) in videos.tables(media / "video-tasks" / "frames", queries).items():
        owner = "lmms-lab" if name == "YouCook2" else "VLM2Vec"
        _write(hub / owner / name / file, rows)
        names.append(name)
    for part, rows in videos.mvbench(media / "video-tasks" / "frames").items():
        _write(hub / "VLM2Vec" / "MVBench" / "json" / f"{part}.json", rows)
        described.setdefault("VLM2Vec/MVBench", []).append((part, "train", f"json/{part}.json"))
    _pages(hub / "vidore" / "arxivqa_test_subsampled_beir", "test", queries, list(range(queries + 2)))
    pages = [f"sheet_{at}_{'of_the_book_of_shapes_' * 3}{at}.jpg" for at in range(queries + 2)]
    _pages(hub / "openbmb" / "VisRAG-Ret-Test-ChartQA", "train", queries, pages)
    for repo, configs in described.items():
        _readme(hub / repo, configs)
    return (*names, "MVBench", "ViDoRe_arxivqa", "VisRAG_ChartQA")


def _pages(repo: Path, split: str, queries: int, ids: Sequence[int | str]) -> None:
    """Page i shows thing i and answers query i; the next page does so a little, and one is judged 0."""
    asked = [f"q{at}" if isinstance(ids[0], str) else 100 + at for at in range(queries)]
    corpus = [
        {"corpus-id": each, "image": {"bytes": drawn(at, kind="PNG"), "path": None}}
        for at, each in enumerate(ids)
    ]
    judged = [
        {"query-id": query, "corpus-id": ids[at + further], "score": score}
        for at, query in enumerate(asked)
        for further, score in ((2, 0), (0, 1), (1, 1), (0, 2))
    ]
    said = [
        {"query-id": query, "query": f"Which page shows a {name_of(at)}?"} for at, query in enumerate(asked)
    ]
    for config, rows in (("corpus", corpus), ("queries", said), ("qrels", judged)):
        _write(repo / config / f"{split}-00000-of-00001.parquet", rows)


def _readme(repo: Path, configs: Sequence[tuple[str, str, str]]) -> None:
    lines = ["---", "configs:"]
    for name, split, path in configs:
        lines += [f"- config_name: {name}", "  data_files:", f"  - split: {split}", f"    path: {path}"]
    text = "\n".join((*lines, "---", "A tiny stand-in for the data set of this name."))
    (repo / "README.md").write_text(text + "\n", "utf-8")


def _write(path: Path, rows: Rows) -> None:
    """Rows, in the format that the file's name asks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        path.write_text(json.dumps(list(rows)), "utf-8")
