"""A report in Markdown as a page of its own, without scripts and without anything from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ccc; text-align: left; }
img { max-width: 14rem; max-height: 14rem; }
code { background: #f3f3f3; padding: 0 .2rem; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } th, td { border-color: #444; } code { background: #282828; }
}
"""


_MARKS = re.compile(r"([\\`*_\[\]<>!#~&])")


def html_page(title: str, markdown: str) -> str:
    """The page. HTML inside the Markdown is shown as text, not run.

    Args:
        title: Of the page.
        markdown: CommonMark with tables.

    Example:
        >>> "<h1>Scores &amp; <b>" in html_page("t", "# Scores & <b>")
        False
        >>> "<h1>Scores &amp; &lt;b&gt;</h1>" in html_page("t", "# Scores & <b>")
        True
    """
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}</body></html>\n'


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    r"""A table in Markdown.

    Example:
        >>> table_lines(["a", "b"], [["1", "x|y"]])
        ['| a | b |', '|---|---|', '| 1 | x\\|y |']
    """
    lines = [heads, *rows]
    marked = [f"| {' | '.join(cell(each) for each in row)} |" for row in lines]
    return [marked[0], "|" + "---|" * len(heads), *marked[1:]]


def cell(text: str) -> str:
    r"""Markdown that neither ends a table's cell nor its row.

    Example:
        >>> cell("**a**|b\n c")
        '**a**\\|b c'
    """
    return " ".join(text.replace("|", "\\|").split())


def plain(text: str) -> str:
    r"""Words of somebody else's as Markdown that shows them and does nothing: no link, picture or mark.

    Example:
        >>> plain("![x](http://y) a_b")
        '\\!\\[x\\](http://y) a\\_b'
    """
    return " ".join(_MARKS.sub(r"\\\1", text).split())
