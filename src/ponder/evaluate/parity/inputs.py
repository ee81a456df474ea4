"""What both sides of `ponder parity` are given: items, opened once, and queries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ponder.errors import InputInvalid, PonderError
from ponder.media.content import open_content, open_query
from ponder.media.excerpt import first_words
from ponder.media.limits import Limits
from ponder.records import Content, Embedded, Item, PartReasoning, Query, Reasoning, Row

QUERIES = 4


@dataclass(frozen=True, slots=True)
class Inputs:
    """What both sides get.

    Attributes:
        rows: Items as an index would store them, their own words as reasoning.
        contents: The same, opened.
        queries: To judge them by.
        skipped: Files that could not be opened, and why.
    """

    rows: tuple[Row, ...]
    contents: tuple[Content, ...]
    queries: tuple[Content, ...]
    skipped: tuple[str, ...] = ()


def read_inputs(folder: Path, count: int) -> Inputs:
    """Items and queries of a data set (BEIR with media), or of any folder of files.

    Args:
        folder: Where they are.
        count: How many items, at most, spread over all.

    Raises:
        InputInvalid: Nothing in it can be opened.
    """
    import numpy as np

    limits = Limits()
    items, asked, skipped = _items(folder, limits)
    step = max(1, len(items) // max(1, count))
    rows, contents = [], []
    for item in items[::step][:count]:
        try:
            content = open_content(item, limits)
        except PonderError as error:
            skipped.append(f"{item.uri or item.id}: {error.what}")
            continue
        text = content.text or _looks(content)
        reasoning = Reasoning(text, (PartReasoning("", text),))
        rows.append(Row(item, reasoning, Embedded(("",), np.zeros((1, 1), np.float32)), content.digest))
        contents.append(content)
    if not contents:
        raise InputInvalid(
            "nothing in it can be opened", str(folder), "give a folder of files, or a data set"
        )
    queries = asked or [Query(text=first_words(content.text, 12)) for content in contents if content.text]
    opened = [open_query(query, limits) for query in (queries or [Query(text="a picture")])[:QUERIES]]
    return Inputs(tuple(rows), tuple(contents), tuple(opened), tuple(skipped))


def _items(folder: Path, limits: Limits) -> tuple[list[Item], list[Query], list[str]]:
    """Items, queries if there are any, and the files that could not be read."""
    if (folder / "corpus.jsonl").is_file():
        from ponder.evaluate.beir import load_beir

        dataset = load_beir(folder)
        return list(dataset.items), [judged.query for judged in dataset.queries[:QUERIES]], []
    from ponder.media.items import items_of
    from ponder.media.scan import scan

    items: list[Item] = []
    skipped: list[str] = []
    for source in scan([folder], limits=limits).sources:
        try:
            items += items_of(source, limits)
        except PonderError as error:
            skipped.append(f"{source.path}: {error.what}")
    return items, [], skipped


def _looks(content: Content) -> str:
    """Words that tell one picture from another, so that judges of words have something to compare."""
    import numpy as np

    if not content.images:
        return f"A {content.kind}."
    picture = content.images[0]
    red, green, blue = np.asarray(picture.convert("RGB")).mean((0, 1)).round().astype(int)
    size = f"{picture.width} by {picture.height}"
    return f"A {content.kind} of {size} pixels; red {red}, green {green}, blue {blue} on average."
