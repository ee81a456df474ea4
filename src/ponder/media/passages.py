"""A text in passages of about 90 words, cut where a reader would pause."""

from __future__ import annotations

import re

from ponder.records import Content, Passage

# 90 words are about 120 tokens: well inside the 256 that small encoders read, and long enough to carry
# an answer with what it is about.
WORDS = 90
LEAST, MOST = 60, 120

# A word is a run without blanks, at most 30 characters long so that no text is without a place to cut;
# scripts that set no blanks count a word a character, which is what tokenizers make of them.
_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]{{1,30}}")
_SENTENCE = re.compile(r"[.!?;:\u3002\uff01\uff1f\u2026][\"')\]\u201d\u2019\u00bb]*$")

# What a cut costs there, in words of distance from the wanted length.
_PARAGRAPH, _LINE_SENTENCE, _INLINE_SENTENCE, _LINE, _NONE = 0, 10, 15, 25, 60


def passages(text: str) -> tuple[Passage, ...]:
    """Cut a text into passages of `LEAST` to `MOST` words, about `WORDS` each; a short text is one.

    Cuts fall at a paragraph's end if one is near, else at a sentence's, a line's, or between words.
    Passages are in order, do not overlap, and leave out nothing but white space.

    Returns:
        Passages with ``text[p.start:p.end] == p.text``; none for a text without words.

    Example:
        >>> [p.text for p in passages("  Two words.  ")]
        ['Two words.']
    """
    words = [match.span() for match in _WORD.finditer(text)]
    found = []
    first = 0
    while first < len(words):
        after = first + _length(text, words, first)
        start, end = words[first][0], words[after - 1][1]
        found.append(Passage(text[start:end], start, end))
        first = after
    return tuple(found)


def passages_of(content: Content, read: str = "") -> tuple[Passage, ...]:
    """A content's passages, cut here where it has text that is not cut yet.

    Args:
        content: Anything; a clip has none.
        read: What was read in its picture; counts where the content brought no text.

    Example:
        >>> [p.text for p in passages_of(Content("image", "0"), read="Post Office")]
        ['Post Office']
    """
    if content.kind == "video":
        return ()
    return content.passages or passages(content.text or read)


def _length(text: str, words: list[tuple[int, int]], first: int) -> int:
    left = len(words) - first
    if left <= MOST:
        return left
    # Near the end, two passages of like size rather than a whole one and a scrap.
    wanted = left / 2 if left < 2 * WORDS else WORDS
    most = min(MOST, left - 1)
    return min(range(LEAST, most + 1), key=lambda n: _cost(text, words, first + n) + abs(n - wanted))


def _cost(text: str, words: list[tuple[int, int]], after: int) -> int:
    end, following = words[after - 1][1], words[after][0]
    lines = text.count("\n", end, following)
    sentence = _SENTENCE.search(text, max(0, end - 4), end) is not None
    if lines >= 2:
        return _PARAGRAPH
    if sentence:
        return _LINE_SENTENCE if lines else _INLINE_SENTENCE
    return _LINE if lines else _NONE
