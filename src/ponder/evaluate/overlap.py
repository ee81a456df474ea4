"""Whether a split asks what another one teaches, by what queries and documents hold, not by their ids."""

from __future__ import annotations

from collections.abc import Iterable

from ponder.evaluate.beir import Dataset
from ponder.evaluate.media_sums import content_of, paths_of
from ponder.records import Item, Query


def shared(one: Dataset, other: Dataset) -> list[str]:
    """Ids of the queries of `other` that `one` has too, with a relevant document in common.

    The same are those whose words are, but for spaces and case, and whose files are, byte for byte.

    Example:
        >>> from ponder.evaluate.beir import JudgedQuery
        >>> items = tuple(Item(name, "text", text="A kite.") for name in "ab")
        >>> pairs = ("kite", "a"), ("Kite ", "b")
        >>> asked = [JudgedQuery(Query(text, id=text), {doc: 1}) for text, doc in pairs]
        >>> train, dev = (Dataset("set", each.query.id, items, (each,), ()) for each in asked)
        >>> shared(train, dev)
        ['Kite ']
    """
    asked: dict[str, set[str]] = {}
    for each in one.queries:
        asked.setdefault(_query(each.query), set()).update(_relevant(each.grades.items()))
    answers, others = ({item.id: item for item in each.items} for each in (one, other))
    found = []
    for each in other.queries:
        # Most queries have no like: files of documents are read for those alone that have.
        known = [answers[name] for name in asked.get(_query(each.query), ()) if name in answers]
        mine = [others[name] for name in _relevant(each.grades.items()) if name in others]
        if known and {_item(item) for item in known} & {_item(item) for item in mine}:
            found.append(each.query.id)
    return found


def _relevant(grades: Iterable[tuple[str, int]]) -> set[str]:
    return {name for name, grade in grades if grade > 0}


def _query(query: Query) -> str:
    page = query.page[1] if query.page else None
    return repr((_words(query.text), page, [content_of(path) for path in paths_of(query)]))


def _item(item: Item) -> str:
    return repr((_words(item.text), item.page, item.span, content_of(item.path) if item.path else ""))


def _words(text: str) -> str:
    return " ".join(text.casefold().split())
