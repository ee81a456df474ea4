"""PDF pages: how many, their text layer, and a picture of one."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid

if TYPE_CHECKING:
    from PIL.Image import Image

# PDFium keeps global state and is not thread-safe: every call of ours runs under this one lock. Nothing
# stays open after it is released, so a forked child inherits no handle.
_PDFIUM = threading.Lock()

# Below this many letters a text layer is a stamp, a page number or an accident, and the page is read by OCR.
MIN_LETTERS = 20


def page_count(path: str) -> int:
    """Number of pages of a PDF.

    Raises:
        InputInvalid: The file is broken, needs a password, or has no pages.
    """
    with _document(path) as document:
        return len(document)


def page_text(path: str, number: int) -> str:
    """The text layer of one page, cleaned by `clean`; "" when it holds no text worth the name.

    Args:
        path: The PDF.
        number: Of the page, from 1.

    Raises:
        InputInvalid: As for `page_count`, or there is no such page.
    """
    with _page(path, number) as page:
        text_page = page.get_textpage()
        try:
            raw = text_page.get_text_bounded()
        finally:
            text_page.close()
    text = clean(raw)
    return text if sum(c.isalpha() for c in text) >= MIN_LETTERS else ""


def page_image(path: str, number: int, *, dpi: int, max_side: int) -> Image:
    """One page as an RGB picture at `dpi`, or less where its longest side would pass `max_side` pixels.

    Raises:
        InputInvalid: As for `page_text`, or the page has no area.
    """
    with _page(path, number) as page:
        longest = max(page.get_size())
        if longest <= 0:
            raise InputInvalid("the page has no area", f"{path}#page={number}", "leave it out")
        bitmap = page.render(
            scale=min(dpi / 72, max_side / longest), rev_byteorder=True, may_draw_forms=False
        )
        try:
            # A copy: the picture must outlive PDFium's buffer.
            image: Image = bitmap.to_pil().convert("RGB").copy()
        finally:
            bitmap.close()
    return image


def clean(raw: str) -> str:
    r"""Text as read on the page: words joined that a line end cuts, blanks made one, lines kept.

    PDFium marks a hyphen that it knows to be soft with U+0002 or U+FFFE. Ligatures become letters.

    Example:
        >>> clean("A  sec\x02ond  ex-\r\nample\r\n\r\n\r\nof \ufb01ne text")
        'A second example\n\nof fine text'
    """
    text = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    text = re.sub("[\x02\ufffe\u00ad]\n?", "", text)
    text = re.sub(r"(?<=[^\W\d_])[-\u2010]\n(?=[^\W\d_])(?=\w*[a-z])", _join, text)
    text = re.sub("[\ufb00-\ufb06]", lambda m: unicodedata.normalize("NFKC", m[0]), text)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _UNSEEN)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# Control characters, private use (glyphs without a meaning), surrogates, unassigned.
_UNSEEN = {"Cc", "Co", "Cs", "Cn"}


def _join(match: re.Match[str]) -> str:
    # "ex-\nample" is one word, "Smith-\nJones" keeps its hyphen.
    return "" if match.string[match.end()].islower() else match[0][0]


@contextmanager
def _document(path: str) -> Iterator[Any]:
    import pypdfium2

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise InputInvalid("the PDF is locked with a password", path, "save it without one") from None
            raise InputInvalid("not a readable PDF", path, "check that the file is whole") from None
        except OSError as error:
            raise InputInvalid(f"cannot be read: {error.strerror}", path, "check the file") from None
        try:
            if len(document) < 1:
                raise InputInvalid("the PDF has no pages", path, "check that the file is whole")
            yield document
        except pypdfium2.PdfiumError as error:
            raise InputInvalid(f"a broken PDF: {error}", path, "check that the file is whole") from None
        finally:
            document.close()


@contextmanager
def _page(path: str, number: int) -> Iterator[Any]:
    with _document(path) as document:
        if not 1 <= number <= len(document):
            raise InputInvalid(
                f"no page {number}: the PDF has {len(document)}", path, "pages are numbered from 1"
            )
        page = document[number - 1]
        try:
            yield page
        finally:
            page.close()
