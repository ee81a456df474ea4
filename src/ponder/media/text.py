"""Texts: plain, Markdown and HTML files as the words that a reader sees."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid
from ponder.media.limits import Limits

if TYPE_CHECKING:
    from markdown_it.token import Token

_MARKDOWN = {".md", ".markdown"}
_HTML = {".html", ".htm", ".xhtml"}

# UTF-32 before UTF-16: its mark begins with the other's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# What text files do not hold: control characters other than blanks and escape, and undecodable bytes.
_ODD = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")

# Parts of a page that are not its text.
_FURNITURE = ("script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "button", "select")

_BLOCKS = (
    *("address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt"),
    *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
    *("hr", "html", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot"),
    *("thead", "title", "tr", "ul"),
)


def read_text(path: str, limits: Limits) -> str:
    """The text of a file, by its suffix: Markdown and HTML without their marks, anything else as it is.

    Raises:
        InputInvalid: Not text, empty, or over `limits.max_chars` characters.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputInvalid(f"cannot be read: {error.strerror}", path, "check the file") from None
    text = decode(data, path)
    suffix = Path(path).suffix.lower()
    if suffix in _MARKDOWN:
        text = markdown_to_text(text)
    elif suffix in _HTML:
        text = html_to_text(text)
    text = text.strip()
    if not text:
        raise InputInvalid("there is no text in the file", path, "leave it out")
    check_length(text, path, limits)
    return text


def check_length(text: str, where: str, limits: Limits) -> None:
    """Refuse a text that is too long.

    Raises:
        InputInvalid: It is over `limits.max_chars`.
    """
    if len(text) > limits.max_chars:
        raise InputInvalid(
            f"the text has {len(text):,} characters, over the limit of {limits.max_chars:,}",
            where,
            "split it, or raise max_chars in Limits",
        )


def decode(data: bytes, where: str = "") -> str:
    r"""Bytes as text: by their byte order mark, else UTF-8, else what an HTML or XML head names, else
    Windows-1252 (Latin-1 with the quotation marks that people meant); line ends become ``\n``.

    Raises:
        InputInvalid: The bytes look like no text: NULs, or more than 1 % of control characters.

    Example:
        >>> decode(b"caf\xc3\xa9\r\n"), decode(b"caf\xe9")
        ('café\n', 'café')
    """
    text = None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, errors="replace")
            break
    if text is None:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = _legacy(data)
    odd = len(_ODD.findall(text))
    if "\x00" in text or odd * 100 > len(text):
        raise InputInvalid("the file is not text", where, "check its type")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _legacy(data: bytes) -> str:
    named = re.search(rb"""(?i)<[^>]*\b(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", data[:2048])
    if named:
        try:
            return data.decode(named[1].decode("ascii"), errors="replace")
        except (LookupError, UnicodeError, ValueError):
            pass
    return data.decode("cp1252", errors="replace")


def html_to_text(html: str) -> str:
    r"""What a browser would show of an HTML page, a line a block, the title first; not menus or scripts.

    Example:
        >>> html_to_text("<title>T</title><nav>menu</nav><p>Some <b>bold</b> words<script>x()</script>")
        'T\n\nSome bold words'
    """
    from bs4 import BeautifulSoup
    from bs4.element import NavigableString, PreformattedString
    from bs4.exceptions import ParserRejectedMarkup

    if "<" not in html:
        # Beautiful Soup warns that such a text may be a file name.
        html = f"<p>{html}</p>"
    try:
        soup = BeautifulSoup(re.sub(r"^\s*<\?xml[^>]*>", "", html), "html.parser")
    except (ParserRejectedMarkup, AssertionError, RecursionError):
        raise InputInvalid("the HTML cannot be parsed", "", "check the file") from None
    for tag in soup.find_all(_FURNITURE):
        tag.decompose()
    for pre in soup.find_all("pre"):
        for string in pre.find_all(string=True):
            string.replace_with(NavigableString(string.replace("\n", "\v")))
    for string in soup.find_all(string=lambda s: isinstance(s, PreformattedString)):
        string.extract()
    for string in soup.find_all(string=lambda s: "\n" in s):
        string.replace_with(NavigableString(string.replace("\n", " ")))
    for br in soup.find_all("br"):
        br.replace_with("\v")
    for cell in soup.find_all(["td", "th"]):
        cell.append(" ")
    for block in soup.find_all(_BLOCKS):
        block.insert_before("\v")
        # Items of a list and rows of a table follow line by line; other blocks have an empty line after.
        if block.name not in {"li", "tr", "dt", "dd"}:
            block.insert_after("\v\v")
    lines = (" ".join(line.split()) for line in soup.get_text().split("\v"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def markdown_to_text(markdown: str) -> str:
    r"""The words of a Markdown text (CommonMark with tables), an empty line between blocks.

    Example:
        >>> markdown_to_text("# Title\n\nSome *fine* [words](http://x.y) and `code`.")
        'Title\n\nSome fine words and code.'
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    lines: list[str] = []
    row: list[str] | None = None
    for token in parser.parse(markdown):
        if token.type == "inline":
            words = "".join(_inline(token.children or []))
            (lines if row is None else row).append(words)
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            lines.append(" ".join(row or []))
            row = None
        elif token.type in {"fence", "code_block"}:
            lines += [token.content.rstrip("\n"), ""]
        elif token.type == "html_block":
            lines += [html_to_text(token.content), ""]
        elif token.type.endswith("_close") and not token.hidden and token.level == 0:
            lines.append("")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _inline(children: list[Token]) -> list[str]:
    words = []
    for child in children:
        if child.type in {"softbreak", "hardbreak"}:
            words.append("\n")
        elif child.type == "image":
            words.extend(_inline(child.children or []))
        elif child.type in {"text", "code_inline", "text_special"}:
            words.append(child.content)
    return words
