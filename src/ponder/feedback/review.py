"""One self-contained page of doubtful pairs, on which a person says what they are."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
from collections.abc import Sequence
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

_WORDS: dict[Decision, str] = {
    "positive": "answers it",
    "suspect-positive": "does not answer it",
    "false-negative": "perhaps: spare it",
    "hard-negative": "does not answer it",
    "easy": "leave it out",
}
_FIGURES = {
    "retrieval": "retriever",
    "judge": "after judges",
    "chance": "probability",
    "threshold": "threshold",
    "positive_retrieval": "positive's retriever",
    "positive_judge": "positive's after judges",
    "positive_chance": "positive's probability",
}
"""What stands behind a decision, as the page words it."""

_SIDE = 320
"""Pixels of a picture's longer side: enough to tell, and some 15 KB."""

# No larger than is shown, and of a clip one frame.
_LIMITS = Limits(max_side=2 * _SIDE, max_page_side=2 * _SIDE, page_dpi=75, max_frames=1, frame_side=_SIDE)

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


def review_page(dataset: Dataset, pairs: Sequence[Pair], about: str) -> Page:
    """Render pairs by query, each beside its labelled documents, with buttons to correct it.

    Everything is in the page: pictures as data URIs, nothing is fetched. Texts are escaped, and should one
    slip through, the page's policy runs no script but its own, by hash, and asks no network.

    Args:
        dataset: That the pairs are of.
        pairs: As `ponder.feedback.doubtful` chooses them.
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
    sections = [
        _section(queries[name], each, place, shown, number)
        for number, (name, each) in enumerate(by_query.items())
    ]
    rows = [
        {"query_id": pair.query_id, "doc_id": pair.document_id, "decision": spelt(pair.decision)}
        for pair in ordered
    ]
    page, style, script = (
        files("ponder.feedback").joinpath(f"review.{kind}").read_text("utf-8")
        for kind in ("html", "css", "js")
    )
    text = Template(page).substitute(
        policy=f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_hash(style)}; script-src {_hash(script)}",
        style=style,
        script=script,
        about=_safe(about),
        queries="\n".join(sections),
        # A "</script>" in an id would end the element.
        pairs=json.dumps({"format": FORMAT, "pairs": rows}).replace("<", "\\u003c"),
    )
    return Page(text, tuple(ordered), tuple(shown.left_out.values()))


def _hash(source: str) -> str:
    """As a Content-Security-Policy names an inline element."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _safe(text: str) -> str:
    """For HTML; what cannot be written as UTF-8 (half a surrogate pair in a JSON file) becomes a "?"."""
    return html.escape(text.encode("utf-8", "replace").decode())


def _section(
    query: JudgedQuery,
    pairs: Sequence[Pair],
    place: dict[tuple[str, str], int],
    shown: _Shown,
    number: int,
) -> str:
    labelled = [name for name, grade in query.grades.items() if grade > 0 and name in shown.items]
    doubted = {pair.document_id for pair in pairs}
    beside = [
        f"<figure>{shown.document(name)}<figcaption>labelled: <bdi>{_safe(name)}</bdi></figcaption></figure>"
        for name in labelled
        if name not in doubted
    ]
    cards = [_card(pair, place[pair.query_id, pair.document_id], shown) for pair in pairs]
    asked = shown.query(query)
    return (
        f'<section aria-labelledby="query-{number}"><h2 id="query-{number}">{asked}</h2>\n'
        f'<div class="row">{"".join([*beside, *cards])}</div></section>'
    )


def _card(pair: Pair, number: int, shown: _Shown) -> str:
    buttons = "".join(
        f'<button type="button" data-pair="{number}" data-decision="{spelt(each)}" aria-pressed="false">'
        f"{_WORDS[each]}</button>"
        for each in choices(pair)
    )
    told = f"{spelt(pair.decision)}, rank {pair.rank}: {pair.why}"
    values = {words: getattr(pair, name) for name, words in _FIGURES.items()}
    figures = "".join(
        f"<dt>{words}</dt><dd>{value:.3f}</dd>" for words, value in values.items() if value is not None
    )
    document = _safe(pair.document_id)
    return (
        f"<article>{shown.document(pair.document_id)}<p><bdi>{document}</bdi></p>"
        f'<p class="why">{_safe(told)}</p><dl>{figures}</dl>'
        f'<div role="group" aria-label="What is {document}?">{buttons}</div></article>'
    )


class _Shown:
    """Documents and queries as HTML; what cannot be opened is said, and listed."""

    def __init__(self, dataset: Dataset) -> None:
        self.items = {item.id: item for item in dataset.items}
        self.left_out: dict[str, Skipped] = {}

    def document(self, name: str) -> str:
        item = self.items[name]
        try:
            return _html(open_content(item, _LIMITS), name)
        except (InputInvalid, InputNotFound) as error:
            return self._lost(item.uri or name, error)

    def query(self, query: JudgedQuery) -> str:
        try:
            return _html(open_query(query.query, _LIMITS), f"query {query.query.id}")
        except (InputInvalid, InputNotFound) as error:
            return self._lost(f"query {query.query.id}", error)

    def _lost(self, what: str, error: Exception) -> str:
        self.left_out[what] = Skipped(what, str(error))
        return f"<p>{_safe(f'cannot be shown: {error}')}</p>"


def _html(content: Content, name: str) -> str:
    pictures = "".join(f'<img alt="{_safe(name)}" src="{_uri(each)}">' for each in content.images[:1])
    text = content.text if len(content.text) <= _TEXT else content.text[:_TEXT] + " …"
    return pictures + (f"<bdi>{_safe(text)}</bdi>" if text.strip() else "")


def _uri(picture: Image) -> str:
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
