"""Retrieval of document pages: ViDoRe, VisRAG, ViDoSeek and MMLongBench.

Queries, judgements and pages are three configurations of one repository. The pages' pictures lie in Parquet;
they are named here as the official loaders write them to disk, and `write_pages` (``written_pages.py``) does
so once they are to be looked at. The official loaders raise a KeyError at a query without a page that is
judged above 0, and at a judged page that the corpus lacks; here the query says so and the task is incomplete.

Source: https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, ``src/data/eval_dataset/vidore_dataset.py``,
``visrag_dataset.py`` and ``src/utils/dataset_utils.py``, as the notes of their behaviour describe them.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from ponder.evaluate.mmeb.image import PICTURE
from ponder.evaluate.mmeb.parsed import Info, Name, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool
from ponder.evaluate.mmeb.source import Source

Judged = dict[Name, dict[Name, float]]


def text_to_pages(source: Source) -> Parsed:
    """Text to pages: the judged pages of the queries come first in the pool, then the rest of the corpus."""
    task = source.task
    corpus = [row["corpus-id"] for row in source.rows("corpus-id", config="corpus")]
    known, judged = set(corpus), _judged(source)
    pool, queries = Pool(), []
    columns = ("query-id", "query", "language") if task.language else ("query-id", "query")
    for row in source.rows(*columns, config="queries"):
        if task.language and row["language"] != task.language:
            continue
        grades = judged.get(row["query-id"], {})
        ids = tuple(grades)
        for each in ids:
            if each in known:
                _add(pool, source, each)
        problem = "" if ids else f"no page is judged above 0 for query {row['query-id']!r}"
        lost = [each for each in ids if each not in known]
        if lost:
            problem = f"{len(lost)} judged pages are not in the corpus, such as {lost[0]!r}"
        side = Side(f"{task.query_instruction} {row['query']}", instruction=task.query_instruction)
        queries.append(Query(side, Info(ids, ids, tuple(grades.values())), problem=problem))
    for each in corpus:
        _add(pool, source, each)
    return Parsed(queries, pool.candidates)


def file_name(parser: str, page: Name) -> str:
    """What the official loaders call a page's file.

    Example:
        >>> file_name("vidore", 7), file_name("visrag", "a chart.png")
        ('7.png', 'a chart_2c0c23d7.png')
    """
    if parser == "vidore":
        return f"{page}.png"
    name = PurePosixPath(str(page))
    # Names run into limits of file systems, and differ at their ends.
    return f"{name.stem[:50]}_{hashlib.md5(str(page).encode()).hexdigest()[:8]}{name.suffix}"


def _judged(source: Source) -> Judged:
    """Grades above 0 by query and page; of repeated rows the larger, where the page came first."""
    found: Judged = {}
    for row in source.rows("query-id", "corpus-id", "score", config="qrels"):
        if row["score"] > 0:
            grades = found.setdefault(row["query-id"], {})
            grades[row["corpus-id"]] = max(row["score"], grades.get(row["corpus-id"], 0))
    return found


def _add(pool: Pool, source: Source, page: Name) -> None:
    if page not in pool:
        instruction = source.task.target_instruction
        path = source.path(file_name(source.task.parser, page))
        pool.add(page, Side(f"{PICTURE} {instruction}", (path,), "page", instruction))
