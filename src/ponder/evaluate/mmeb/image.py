r"""The 36 image tasks, read as the five official loaders read them.

A row has a query (``qry_inst``, ``qry_text``, ``qry_img_path``) and a pool of its own (``tgt_text`` or
``tgt_img_path``, ``tgt_inst``) whose first candidate is the right one. The instructions come with the data;
the mark ``<|image_1|>`` in them stands where the picture goes.

Source: https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, ``src/data/eval_dataset/image_*.py``, as the
    notes of its behaviour describe it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ponder.evaluate.mmeb.parsed import Info, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tables import Row

PICTURE = "<|image_pad|>"
_MARK = "<|image_1|>"

_STRIPPED = {"image_qa", "image_i2i_vg"}
"""Loaders that strip an instruction and put a line's end before it; the others take it as it is."""


def to_texts(source: Source) -> Parsed:
    """Picture, or picture and text, to text: classification, questions, captions."""
    pool, queries = Pool(), []
    for row in source.rows("qry_inst", "qry_text", "qry_img_path", "tgt_text"):
        names = _once(row["tgt_text"])
        pool.add_texts(names)
        side, problem = _asked(source, row)
        queries.append(Query(side, Info(names, names[:1], single=bool(names)), problem=problem))
    return Parsed(queries, pool.candidates)


def text_to_pictures(source: Source) -> Parsed:
    """Text to picture; a picture's caption is shown with it, but its name is its path alone."""
    pool, queries = Pool(), []
    end = "\n\n" if source.task.name == "VisDial" else "\n"
    for row in source.rows("qry_inst", "qry_text", "tgt_inst", "tgt_text", "tgt_img_path"):
        names = _once(row["tgt_img_path"])
        for name, caption in _captioned(row):
            if name in pool:
                continue
            side = _shown(source, name, row["tgt_inst"] or "", caption, "\n")
            pool.add(name, side, _missing(source, side))
        instruction = row["qry_inst"] or ""
        text = f"{instruction} {row['qry_text'] or ''}{end}"
        queries.append(Query(Side(text, instruction=instruction), Info(names, names[:1], single=bool(names))))
    return Parsed(queries, pool.candidates)


def picture_to_pictures(source: Source) -> Parsed:
    """Picture and text to picture, crops of the query's picture among them: similar pictures and grounding.

    A candidate's name is ``PATH:CAPTION``, so that one picture with three captions is three candidates.
    """
    pool, queries = Pool(), []
    columns = ("qry_inst", "qry_text", "qry_img_path", "tgt_inst", "tgt_text", "tgt_img_path")
    for row in source.rows(*columns):
        instruction = "\n" + (row["tgt_inst"] or "").replace(_MARK, "").strip()
        names = []
        for path, caption in _captioned(row):
            names.append(sys.intern(path + ":" + (caption or "").strip('"')))
            if names[-1] in pool:
                continue
            side = _shown(source, path, instruction, caption, "" if caption is None else "\n")
            pool.add(names[-1], side, _missing(source, side))
        side, problem = _asked(source, row)
        info = Info(tuple(names), tuple(names[:1]), single=bool(names))
        queries.append(Query(side, info, problem=problem))
    return Parsed(queries, pool.candidates)


def _asked(source: Source, row: Row) -> tuple[Side, str]:
    """A query of a picture and, in some rows, a text; and what is wrong with it."""
    instruction = (row["qry_inst"] or "").replace(_MARK, "")
    if source.task.parser in _STRIPPED:
        instruction = "\n" + instruction.strip()
    said = row["qry_text"] or ""
    text = _lines(f"{PICTURE} {instruction} {said}" if said else f"{PICTURE} {instruction}") + "\n"
    path = row["qry_img_path"] or ""
    if not path:
        return Side(text, instruction=_lines(instruction)), "the query names no picture"
    side = Side(text, (source.path(path),), "image", _lines(instruction))
    return side, _missing(source, side)


def _shown(source: Source, path: str, instruction: str, caption: str | None, end: str) -> Side:
    instruction = instruction.replace(_MARK, "")
    text = f"{PICTURE} {instruction}" if caption is None else f"{PICTURE} {instruction} {caption}"
    return Side(_lines(text) + end, (source.path(path),), "image", _lines(instruction))


def _once(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Equal texts as one object: a thousand queries have the same thousand candidates."""
    return tuple(map(sys.intern, texts or ()))


def _captioned(row: Row) -> list[tuple[str, str | None]]:
    """Pictures with their captions; the first caption decides for the row whether there are any."""
    paths, said = row["tgt_img_path"] or (), row["tgt_text"] or ()
    if not said or not (said[0] or "").strip():
        return [(path, None) for path in paths]
    return [(path, (said[at] if at < len(said) else "") or "") for at, path in enumerate(paths)]


def _lines(text: str) -> str:
    """Without the blank that stands before a line's end."""
    return text.replace(" \n", "\n")


def _missing(source: Source, side: Side) -> str:
    return next((problem for path in side.media if (problem := source.absent(path))), "")
