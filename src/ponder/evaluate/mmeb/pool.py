"""The pool of candidates: merged by name, the first one wins, in the order that they come in.

Where a name does not tell all that a candidate shows, what comes later under the same name is never embedded.
The official evaluator does the same: a picture with another caption in each query's list keeps the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ponder.evaluate.mmeb.parsed import Candidate, Name, Parsed, Query, Side


class Pool:
    """Candidates by name.

    Example:
        >>> pool = Pool()
        >>> pool.add("a", Side("first"))
        >>> pool.add("a", Side("second"))
        >>> [each.side.text for each in pool.candidates]
        ['first']
    """

    def __init__(self) -> None:
        self._found: dict[Name, Candidate] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self._found

    def add(self, name: Name, side: Side, problem: str = "") -> None:
        """Put a candidate behind the others, unless its name is there."""
        if name not in self._found:
            self._found[name] = Candidate(name, side, problem)

    def add_texts(self, texts: Iterable[str]) -> None:
        """Put candidates there that are their own names."""
        for text in texts:
            if text not in self._found:
                self._found[text] = Candidate(text, Side(text))

    @property
    def candidates(self) -> list[Candidate]:
        """In the official order."""
        return list(self._found.values())


def checked(parsed: Parsed, *, local: bool) -> Parsed:
    """Say of each query what keeps it from being scored as meant, and what is odd about it.

    A problem: no right answer, nothing to choose from, or a candidate that cannot be shown (of a shared pool:
    the right one). A note: an answer that is in no pool, so that nobody can be right; a name that is there
    twice, which counts twice in ndcg and map; an empty answer. The official evaluator scores these, silently.
    """
    broken = {each.name: each.problem for each in parsed.candidates if each.problem}
    names = {each.name for each in parsed.candidates}
    queries = [_checked(each, broken, names, local) for each in parsed.queries]
    return replace(parsed, queries=queries)


def _checked(query: Query, broken: dict[Name, str], names: set[Name], local: bool) -> Query:
    info = query.info
    problem, note = query.problem, query.note
    if not problem and not info.label_names:
        problem = "no right answer is told"
    if not problem and local and not info.cand_names:
        problem = "there is nothing to choose from"
    if not problem and broken:
        problem = next(
            (broken[n] for n in (info.cand_names if local else info.label_names) if n in broken), ""
        )
    if not note:
        note = _odd(query, names, local)
    return (
        query
        if (problem, note) == (query.problem, query.note)
        else replace(query, problem=problem, note=note)
    )


def _odd(query: Query, names: set[Name], local: bool) -> str:
    info = query.info
    pool = set(info.cand_names) if local else names
    lost = [name for name in info.label_names if name not in pool]
    if lost:
        return f"the right answer {lost[0]!r} is in no pool: nobody can be right"
    if any(isinstance(name, str) and not name.strip() for name in info.label_names):
        return "the right answer is empty"
    if len(set(info.cand_names)) < len(info.cand_names):
        name, times = Counter(info.cand_names).most_common(1)[0]
        return f"the candidate {name!r} is there {times} times under one name"
    return ""
