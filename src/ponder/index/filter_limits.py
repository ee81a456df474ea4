"""What a filter may not be: more than one condition, or one that would take the process with it.

Lance's parser and planner call themselves once for each step down an expression, and where the stack ends
the process ends with it. So it was found, in Lance's own threads:

- One operator after another (``page + 1 + 1 …``, ``… IS NULL IS NULL``, ``::int::int``): between 600 and
  1,000 of them; at 600 the planner takes seconds. ``INTERVAL INTERVAL …``: between 350 and 2,000.
- Brackets in brackets: refused from about 50 on, but a level doubles or triples the time to parse.
  ``CAST(CAST(…`` that does not end well takes 6 s at 20 levels, ``POSITION(POSITION(…`` minutes at 16.
- Conditions with AND or OR between them: between 10,000 and 40,000; as a function's argument 500 to 1,000.
- Brackets in a JSON path, which stands in a text: between 1,000 and 4,000.
- A list, as behind IN, is no deeper for being long.

Memory ends it, too: ``array_repeat(1, 1000000000000)`` aborts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ponder.errors import InputInvalid

MOST_CHARACTERS = 4_000_000
"""A list of a hundred thousand ids."""

MOST_WORDS = 5000
MOST_IN_A_ROW = 20
DEEPEST = 8
LONGEST_TEXT = 10_000
MOST_BRACKETS_IN_TEXT = 250

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`")
_TOKEN = re.compile(r"''|[^\W\d]\w*|\d[\w.]*|\S")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_ENDS = ("'", ")", "]")
_CONSTANTS = ("null", "true", "false")
_CONNECTIVE = "AND or OR"
_BEFORE_CONDITIONS = ("", "(", "not", _CONNECTIVE)
_UNBOUNDED = re.compile(
    r"(?<!\w)(\w*(?:repeat|[lr]pad|replace|range|series|resize|to_string|_join|arrow_cast|arrow_try_cast))\s*\(",
    re.IGNORECASE,
)
"""Functions that make a long value out of a number, or of two short ones."""


def check_shape(where: str, columns: Collection[str], hint: str) -> None:
    """Refuse a filter by its look, before the parser sees it.

    Args:
        where: The filter.
        columns: What it may name.
        hint: How to write one.

    Raises:
        InputInvalid: It is not one whole condition, or too large.
    """
    if not where.strip():
        raise InputInvalid("the filter is empty", where, hint)
    if len(where) > MOST_CHARACTERS:
        raise _too_large(where, f"it is longer than {MOST_CHARACTERS:,} characters")
    for text in _QUOTED.findall(where):
        if len(text) > LONGEST_TEXT:
            raise _too_large(where, f"a text in it is longer than {LONGEST_TEXT:,} characters")
        if sum(map(text.count, _CLOSING)) > MOST_BRACKETS_IN_TEXT:
            raise _too_large(where, f"a text in it has more than {MOST_BRACKETS_IN_TEXT} brackets")
    bare = _QUOTED.sub("''", where)
    # The parser stops quietly at the end of the first expression, so that what stands behind it
    # ("1 = 1; drop …", "a) OR (b") would be ignored, or leave the parentheses put around it. What stands
    # between dollars is a text to the parser and not to us, and a function's name in quotes we do not see.
    if any(each in bare for each in (";", "--", "/*", "$")) or re.search(r"''\s*\(", bare):
        raise _not_whole(where, hint)
    if found := _UNBOUNDED.search(bare):
        raise InputInvalid(
            f"the filter calls {found[1]}, whose value may be of any size", _start(where), "do without it"
        )
    if bare.count("||") > MOST_IN_A_ROW:
        raise _too_large(where, f"it has more than {MOST_IN_A_ROW} ||")
    _check_words(where, bare, columns, hint)


@dataclass(slots=True)
class _Level:
    """What stands in a bracket, so far.

    Attributes:
        closing: What ends it.
        is_list: Whether it is the list of an IN.
        is_plain: Whether it holds conditions, and is no function's.
        row: Words and operators since the last AND or OR of conditions, or the last comma of a list.
        betweens: BETWEENs whose AND is still to come.
    """

    closing: str = ""
    is_list: bool = False
    is_plain: bool = True
    row: int = 0
    betweens: int = 0

    def taken(self, word: str, after_operand: bool) -> str:
        """The word, or `_CONNECTIVE` if it joins two conditions."""
        self.row += 1
        if word == "between":
            self.betweens += 1
        elif word == "and" and self.betweens:
            self.betweens -= 1
        elif word in ("and", "or") and self.is_plain and after_operand:
            # Elsewhere it is taken for a name: "page + or + or" is one long sum.
            self.row = 0
            return _CONNECTIVE
        return word


def _check_words(where: str, bare: str, columns: Collection[str], hint: str) -> None:
    words, before, level = 0, "", _Level()
    around: list[_Level] = []
    for found in _TOKEN.finditer(bare.lower()):
        token = found[0]
        if token in _CLOSING:
            around.append(level)
            is_plain = level.is_plain and before in _BEFORE_CONDITIONS
            level = _Level(_CLOSING[token], before == "in", is_plain)
        elif token in _CLOSING.values():
            if token != level.closing:
                raise _not_whole(where, hint)
            level = around.pop()
        elif token == "," and level.is_list:
            level.row = 0
        elif token != "''" and not token[0].isdigit():
            words += 1
            token = level.taken(token, _ends_operand(before, columns))
        before = token
        if len(around) > DEEPEST:
            raise _too_large(where, f"it has brackets in brackets, deeper than {DEEPEST}")
        if words > MOST_WORDS:
            raise _too_large(where, f"it has more than {MOST_WORDS:,} words and operators")
        if level.row > MOST_IN_A_ROW:
            raise _too_large(where, f"it has more than {MOST_IN_A_ROW} words and operators without AND or OR")
    if around:
        raise _not_whole(where, hint)


def _ends_operand(token: str, columns: Collection[str]) -> bool:
    return token.endswith(_ENDS) or token[:1].isdigit() or token in _CONSTANTS or token in columns


def _not_whole(where: str, hint: str) -> InputInvalid:
    return InputInvalid("the filter is not one whole condition", _start(where), hint)


def _too_large(where: str, why: str) -> InputInvalid:
    hint = "compare with a list, as in id IN ('a', 'b'), or search several times"
    return InputInvalid(f"the filter is too large: {why}", _start(where), hint)


def _start(where: str) -> str:
    return where if len(where) <= 200 else f"{where[:200]}…"
