from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from media_files import make_pdf
from PIL import Image

from ponder.errors import InputInvalid, InputNotFound
from ponder.media import Limits, digest_of, open_content, open_query
from ponder.records import Item, Query


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.new("RGB", (20, 10), (10, 200, 30)).save(path)
    return path


def test_text_query(limits: Limits) -> None:
    content = open_query(Query(text=" a red kite \n", instruction="find it"), limits)
    assert (content.kind, content.text, content.text_source) == ("text", "a red kite", "given")
    assert content.instruction == "find it"
    assert [p.text for p in content.passages] == ["a red kite"]
    assert content.images == ()


def test_query_with_a_picture_and_words(picture: Path, limits: Limits) -> None:
    content = open_query(Query(text="but blue", image=str(picture)), limits)
    assert (content.kind, content.text, len(content.images)) == ("image", "but blue", 1)


def test_query_with_a_page(tmp_path: Path, limits: Limits) -> None:
    path = str(make_pdf(tmp_path / "a.pdf", ["one", "The second page has some more words."]))
    content = open_query(Query(page=(path, 2)), limits)
    assert (content.kind, content.text_source) == ("page", "layer")
    assert content.text == "The second page has some more words."
    with pytest.raises(InputInvalid, match="no page 3"):
        open_query(Query(page=(path, 3)), limits)


def test_queries_that_cannot_be_asked(picture: Path, limits: Limits) -> None:
    for empty in (Query(), Query(text="  \n"), Query(instruction="find it")):
        with pytest.raises(InputInvalid, match="empty query"):
            open_query(empty, limits)
    with pytest.raises(InputInvalid, match="two media"):
        open_query(Query(image=str(picture), video="b.mp4"), limits)
    with pytest.raises(InputNotFound):
        open_query(Query(image=str(picture) + ".png"), limits)


def test_digest_follows_what_is_seen(picture: Path, limits: Limits) -> None:
    item = Item("a", "image", uri="u", path=str(picture))
    plain = open_content(item, limits).digest
    copy = picture.with_name("copy.png")
    copy.write_bytes(picture.read_bytes())
    os.utime(copy, ns=(1, 1))
    same = replace(item, id="b", uri="v", path=str(copy), metadata={"title": "x"})
    assert open_content(same, limits).digest == plain == digest_of(item, limits)
    Image.new("RGB", (20, 10), (10, 200, 31)).save(copy)
    others = [
        open_content(same, limits).digest,
        open_content(replace(item, text="words"), limits).digest,
        open_content(item, Limits(max_side=8)).digest,
        open_query(Query(image=str(picture), instruction="words"), limits).digest,
        open_query(Query(image=str(picture), text="w", instruction="ords"), limits).digest,
        open_query(Query(text="words"), limits).digest,
    ]
    assert len({plain, *others}) == 7


def test_digest_of_equals_that_of_the_content(tmp_path: Path, limits: Limits) -> None:
    page = make_pdf(tmp_path / "a.pdf", ["Some words on a page, and more."])
    note = tmp_path / "a.md"
    note.write_text("# Some words")
    for item in (
        Item("a", "page", path=str(page), page=1),
        Item("b", "text", path=str(note)),
        Item("c", "text", text="given"),
    ):
        assert digest_of(item, limits) == open_content(item, limits).digest
    item = Item("a", "page", path=str(page), page=1)
    unread = digest_of(item, limits, text_layer=False)
    assert unread == open_content(item, limits, text_layer=False).digest != digest_of(item, limits)


def test_rewritten_file_has_a_new_digest(tmp_path: Path, limits: Limits) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old words")
    item = Item("a", "text", path=str(path))
    before = open_content(item, limits)
    path.write_text("new words")
    os.utime(path, ns=(5, 5))
    after = open_content(item, limits)
    assert (before.text, after.text) == ("old words", "new words")
    assert before.digest != after.digest


def test_given_text_stands_before_the_file(tmp_path: Path, limits: Limits) -> None:
    path = tmp_path / "a.txt"
    path.write_text("in the file")
    assert open_content(Item("a", "text", path=str(path)), limits).text == "in the file"
    assert open_content(Item("a", "text", path=str(path), text="given"), limits).text == "given"


def test_neither_file_nor_text(limits: Limits) -> None:
    for item in (Item("a", "image"), Item("a", "text"), Item("a", "page", text="words")):
        with pytest.raises(InputInvalid, match="without a file"):
            open_content(item, limits)


def test_over_the_limit_of_bytes(picture: Path) -> None:
    with pytest.raises(InputInvalid, match="over the limit of 10"):
        open_content(Item("a", "image", path=str(picture)), Limits(max_bytes={"image": 10}))


def test_importing_opens_no_heavy_library() -> None:
    code = "import sys, ponder.media; print({'PIL', 'av', 'numpy', 'pypdfium2', 'bs4'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
