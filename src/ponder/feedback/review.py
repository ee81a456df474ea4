"""One self-contained page of doubtful pairs, on which a person says what they are."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.feedback.corrections import FORMAT, choices
from ponder.media.content import open_content, open_query
from ponder.media.limits import Limits
from ponder.records import Content, Skipped
from ponder.train.pairs import Decision, Pair, spelt

if TYPE_CHECKING:
    from PIL.Image import Image

_URGENT: tuple[Decision, ...] = ("suspect-positive", "doubtful", "false-negative")
"""Shown first, in this order; then whatever was decided by a hair."""

_WORDS: dict[Decision, str] = {
    "positive": "answers it",
    "suspect-positive": "does not answer it",
    "false-negative": "perhaps: spare it",
    "hard-negative": "does not answer it",
    "easy": "leave it out",
}
_SIDE = 320
"""Pixels of a picture's longer side: enough to tell, and some 15 KB."""

_TEXT = 600
"""Characters of a text."""


@dataclass(frozen=True, slots=True)
class Page:
    """The page.

    Attributes:
        text: HTML.
        pairs: That are on it, in order.
        left_out: What could not be shown.
    """

    text: str
    pairs: tuple[Pair, ...]
    left_out: tuple[Skipped, ...]


def doubtful(pairs: Iterable[Pair], most: int) -> list[Pair]:
    """The pairs that a person should look at: suspects, the doubtful, false negatives, and close calls.

    Args:
        pairs: All.
        most: How many.

    Example:
        >>> near = Pair("q", "near", "hard-negative", judge=0.90, threshold=0.95)
        >>> far = Pair("q", "far", "hard-negative", judge=0.10, threshold=0.95)
        >>> wrong = Pair("q", "wrong", "suspect-positive", grade=1)
        >>> [pair.document_id for pair in doubtful([far, near, wrong], 2)]
        ['wrong', 'near']
    """
    every = [pair for pair in pairs if pair.decided_by == "rule" and _urgency(pair) is not None]
    return sorted(every, key=lambda pair: _urgency(pair) or (0, 0.0))[:most]


def _urgency(pair: Pair) -> tuple[int, float] | None:
    """What is shown first; None for what is not doubtful."""
    if pair.decision in _URGENT:
        return _URGENT.index(pair.decision), 0.0
    if pair.judge is None or pair.threshold is None or pair.decision not in ("hard-negative", "positive"):
        return None
    return len(_URGENT), abs(pair.judge - pair.threshold)


def review_page(dataset: Dataset, pairs: Sequence[Pair], about: str) -> Page:
    """Render pairs by query, each beside its labelled documents, with buttons to correct it.

    Everything is in the page: pictures as data URIs, nothing is fetched. Texts are escaped.

    Args:
        dataset: That the pairs are of.
        pairs: As `doubtful` gives them.
        about: A line on top.

    Raises:
        InputInvalid: Not one of the pairs is of this data set.
    """
    shown = _Shown(dataset)
    queries = {each.query.id: each for each in dataset.queries}
    by_query: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair.query_id in queries and pair.document_id in shown.items:
            by_query.setdefault(pair.query_id, []).append(pair)
    if pairs and not by_query:
        raise InputInvalid("none of these pairs is of this data set", str(dataset.name), "give its DIR")
    ordered = [pair for each in by_query.values() for pair in each]
    place = {(pair.query_id, pair.document_id): number for number, pair in enumerate(ordered)}
    sections = [_section(queries[name], each, place, shown) for name, each in by_query.items()]
    rows = [
        {"query_id": pair.query_id, "doc_id": pair.document_id, "decision": spelt(pair.decision)}
        for pair in ordered
    ]
    template = Template(files("ponder.feedback").joinpath("review.html").read_text("utf-8"))
    text = template.substitute(
        about=html.escape(about),
        queries="\n".join(sections),
        # A "</script>" in an id would end the element.
        pairs=json.dumps({"format": FORMAT, "pairs": rows}).replace("<", "\\u003c"),
    )
    return Page(text, tuple(ordered), tuple(shown.left_out.values()))


def _section(
    query: JudgedQuery, pairs: Sequence[Pair], place: dict[tuple[str, str], int], shown: _Shown
) -> str:
    labelled = [name for name, grade in query.grades.items() if grade > 0 and name in shown.items]
    doubted = {pair.document_id for pair in pairs}
    beside = [
        f"<figure>{shown.document(name)}<figcaption>labelled: {html.escape(name)}</figcaption></figure>"
        for name in labelled
        if name not in doubted
    ]
    cards = [_card(pair, place[pair.query_id, pair.document_id], shown) for pair in pairs]
    asked = shown.query(query)
    return f'<section><h2>{asked}</h2>\n<div class="row">{"".join([*beside, *cards])}</div></section>'


def _card(pair: Pair, number: int, shown: _Shown) -> str:
    buttons = "".join(
        f'<button type="button" data-pair="{number}" data-decision="{spelt(each)}" aria-pressed="false">'
        f"{_WORDS[each]}</button>"
        for each in choices(pair)
    )
    told = f"{spelt(pair.decision)}, rank {pair.rank}: {pair.why}"
    return (
        f"<article>{shown.document(pair.document_id)}<p>{html.escape(pair.document_id)}</p>"
        f'<p class="why">{html.escape(told)}</p><div>{buttons}</div></article>'
    )


class _Shown:
    """Documents and queries as HTML; what cannot be opened is said, and listed."""

    def __init__(self, dataset: Dataset) -> None:
        self.items = {item.id: item for item in dataset.items}
        self.left_out: dict[str, Skipped] = {}

    def document(self, name: str) -> str:
        item = self.items[name]
        try:
            return _html(open_content(item, Limits()))
        except (InputInvalid, InputNotFound) as error:
            return self._lost(item.uri or name, error)

    def query(self, query: JudgedQuery) -> str:
        try:
            return _html(open_query(query.query, Limits()))
        except (InputInvalid, InputNotFound) as error:
            return self._lost(f"query {query.query.id}", error)

    def _lost(self, what: str, error: Exception) -> str:
        self.left_out[what] = Skipped(what, str(error))
        return f"<p>{html.escape(f'cannot be shown: {error}')}</p>"


def _html(content: Content) -> str:
    pictures = "".join(f'<img alt="" src="{_uri(each)}">' for each in content.images[:1])
    text = content.text if len(content.text) <= _TEXT else content.text[:_TEXT] + " …"
    return pictures + (f"<span>{html.escape(text)}</span>" if text.strip() else "")


def _uri(picture: Image) -> str:
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
