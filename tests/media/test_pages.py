from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_files import make_pdf

from ponder.errors import InputInvalid, PonderError
from ponder.media import Limits, items_of, open_content, scan
from ponder.media.pages import clean, page_count, page_image, page_text

LINES = "The quick brown fox jumps\nover the lazy dog and on."


def test_one_item_a_page(tmp_path: Path, limits: Limits) -> None:
    path = make_pdf(tmp_path / "a.pdf", [f"{LINES} {n}" for n in range(3)])
    (source,) = scan([path], limits=limits).sources
    items = items_of(source, limits)
    assert [i.uri for i in items] == [f"{path}#page={n}" for n in (1, 2, 3)]
    assert [i.page for i in items] == [1, 2, 3]
    assert len({i.id for i in items}) == 3
    assert items == items_of(source, limits)


def test_text_layer_keeps_lines(tmp_path: Path) -> None:
    path = str(make_pdf(tmp_path / "a.pdf", [LINES, "12"]))
    assert page_text(path, 1) == LINES
    # A page number is not a text layer.
    assert page_text(path, 2) == ""


def test_page_picture_is_bounded(tmp_path: Path) -> None:
    path = str(make_pdf(tmp_path / "a.pdf", [LINES]))
    picture = page_image(path, 1, dpi=72, max_side=2000)
    assert picture.mode == "RGB"
    assert picture.size == pytest.approx((595, 842), abs=1)
    assert min(picture.convert("L").getextrema()) < 100 < picture.getpixel((5, 5))[0]
    small = page_image(path, 1, dpi=300, max_side=200)
    assert max(small.size) in {200, 201}


def test_content_of_a_page(tmp_path: Path, limits: Limits) -> None:
    path = make_pdf(tmp_path / "a.pdf", [LINES, ""])
    (source,) = scan([path], limits=limits).sources
    first, second = items_of(source, limits)
    content = open_content(first, limits)
    assert (content.kind, content.text_source, content.text) == ("page", "layer", LINES)
    assert len(content.images) == 1
    assert [p.text for p in content.passages] == [LINES]
    blank = open_content(second, limits)
    assert (blank.text, blank.text_source, blank.passages) == ("", "", ())
    assert blank.digest != content.digest
    unread = open_content(first, limits, text_layer=False)
    assert (unread.text, unread.text_source) == ("", "")
    assert unread.digest != content.digest
    given_text = open_content(replace(first, text="given words"), limits)
    assert (given_text.text, given_text.text_source) == ("given words", "given")


def test_digest_is_of_content_not_of_name(tmp_path: Path, limits: Limits) -> None:
    one = make_pdf(tmp_path / "a.pdf", [LINES])
    (tmp_path / "b.pdf").write_bytes(one.read_bytes())
    a, b = (items_of(s, limits)[0] for s in scan([tmp_path], limits=limits).sources)
    assert a.id != b.id
    assert open_content(a, limits).digest == open_content(b, limits).digest


def test_refusals(tmp_path: Path, limits: Limits) -> None:
    whole = make_pdf(tmp_path / "whole.pdf", [LINES] * 4)
    locked = make_pdf(tmp_path / "locked.pdf", [LINES], password="sesame")
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(whole.read_bytes()[:300])
    with pytest.raises(InputInvalid, match="password"):
        page_count(str(locked))
    with pytest.raises(InputInvalid, match="not a readable PDF"):
        page_count(str(broken))
    with pytest.raises(InputInvalid, match="no page 5"):
        page_text(str(whole), 5)
    with pytest.raises(InputInvalid, match="no page 0"):
        page_text(str(whole), 0)
    (source,) = scan([whole], limits=limits).sources
    with pytest.raises(InputInvalid, match="4 pages, over the limit of 3"):
        items_of(source, Limits(max_pages=3))


def test_threads_agree(tmp_path: Path) -> None:
    path = str(make_pdf(tmp_path / "a.pdf", [f"{LINES} Page {n}." for n in range(8)]))
    alone = [page_text(path, n) for n in range(1, 9)]
    together: dict[int, str] = {}

    def read(number: int) -> None:
        page_image(path, number, dpi=36, max_side=500)
        together[number] = page_text(path, number)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[n] for n in range(1, 9)] == alone


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.just(1.0) | st.floats(0, 1), at=st.floats(0, 1), junk=st.binary(max_size=12))
def test_damage_raises_nothing_else(
    cut: float, at: float, junk: bytes, tmp_path: Path, limits: Limits
) -> None:
    whole = tmp_path / "whole.pdf"
    if not whole.exists():
        make_pdf(whole, [LINES, LINES])
    data = whole.read_bytes()
    data = data[: int(cut * len(data)) + 1]
    place = int(at * len(data))
    path = tmp_path / "damaged.pdf"
    path.write_bytes(data[:place] + junk + data[place + len(junk) :])
    try:
        (source,) = scan([path], limits=limits).sources
        for item in items_of(source, limits):
            open_content(item, limits)
    except PonderError:
        pass


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("ex-\r\nample", "example"),
        ("Smith-\r\nJones", "Smith-Jones"),
        ("1990-\r\n1995", "1990-\n1995"),
        ("sec\x02ond sec\ufffeond sec\u00adond", "second second second"),
        ("a  b\t c \r\n\r\n\r\n\r\nd", "a b c\n\nd"),
        ("\ue000\ue001 private", "private"),
        ("e\ufb03cient", "efficient"),
    ],
)
def test_clean(raw: str, text: str) -> None:
    assert clean(raw) == text


@given(st.text())
def test_clean_is_idempotent_on_blanks_and_keeps_no_control_characters(raw: str) -> None:
    text = clean(raw)
    assert "  " not in text and "\n\n\n" not in text and "\r" not in text
    assert text == text.strip()
