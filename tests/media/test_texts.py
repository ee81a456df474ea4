from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ponder.errors import InputInvalid, PonderError
from ponder.media import Limits, open_content, passages
from ponder.media.passages import MOST
from ponder.media.text import decode, html_to_text, markdown_to_text, read_text
from ponder.records import Item


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, limits: Limits, encoding: str) -> None:
    text = "Café über Ånd\nnaïve" if encoding != "cp1252" else "“Café” – naïve"
    path = tmp_path / "a.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert read_text(str(path), limits) == text


def test_utf16_of_either_order() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert decode(mark + "Åb".encode(encoding)) == "Åb"


def test_declared_encoding_of_html(tmp_path: Path, limits: Limits) -> None:
    path = tmp_path / "a.html"
    path.write_bytes('<meta charset="koi8-r"><p>Привет, мир</p>'.encode("koi8-r"))
    assert read_text(str(path), limits) == "Привет, мир"
    path.write_bytes('<meta charset="no-such"><p>Café</p>'.encode("latin-1"))
    assert read_text(str(path), limits) == "Café"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not text"),
        (b"abc\x00def", "not text"),
        (bytes(range(1, 32)) * 3 + b"abc", "not text"),
        (b" \n\t \n", "no text"),
        (b"\xef\xbb\xbf", "no text"),
    ],
)
def test_refusals(tmp_path: Path, limits: Limits, data: bytes, why: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(InputInvalid, match=why):
        read_text(str(path), limits)


def test_too_long(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("word " * 30)
    with pytest.raises(InputInvalid, match="149 characters, over the limit of 100"):
        read_text(str(path), Limits(max_chars=100))
    with pytest.raises(InputInvalid, match="over the limit"):
        open_content(Item("a", "text", text="x" * 101), Limits(max_chars=100))


def test_html_shows_what_a_browser_shows() -> None:
    html = """<?xml version="1.0"?><!DOCTYPE html>
    <html><head><title>The title</title><style>p {color: red}</style></head>
    <body><nav><a href="/">Home</a></nav><!-- a note --><h1>A   head</h1>
    <p>One <b>bold</b>
    word &amp; more.</p><ul><li>first</li><li>second</li></ul>
    <table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>
    <p>line<br>break</p><pre>x = 1
y = 2</pre><script>alert("no")</script></body></html>"""
    assert html_to_text(html) == (
        "The title\n\nA head\n\nOne bold word & more.\n\nfirst\nsecond\n\na b\nc d\n\n"
        "line\nbreak\n\nx = 1\ny = 2"
    )


def test_html_without_tags_is_no_file_name() -> None:
    assert html_to_text("etc/passwd &lt;") == "etc/passwd <"


def test_markdown_shows_its_words() -> None:
    markdown = (
        "# Head\n\nSome *fine* **words**\nover [two](http://x.y) lines.\n\n- one\n- two\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n\ny = 2\n```\n\n![a picture](p.png)\n\n"
        "<div>in <i>HTML</i></div>\n"
    )
    assert markdown_to_text(markdown) == (
        "Head\n\nSome fine words\nover two lines.\n\none\ntwo\n\na b\n1 2\n\n"
        "x = 1\n\ny = 2\n\na picture\n\nin HTML"
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)),
    suffix=st.sampled_from(["txt", "md", "html"]),
)
def test_any_bytes_raise_nothing_else(data: bytes, suffix: str, tmp_path: Path, limits: Limits) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    try:
        content = open_content(Item("a", "text", path=str(path)), limits)
    except PonderError:
        return
    assert content.text.strip() and "\x00" not in content.text
    content.text.encode("utf-8")


MARKUP = [
    "<p>",
    "</p>",
    "<b>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<!DOCTYPE",
    "<?",
    "&",
    "&amp;",
    "</",
    "<td>",
    "#",
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*MARKUP, "<pre>", "<li>", "a=", '"', ">", "word", "|--|"]), max_size=30))
def test_any_markup_raises_nothing_else(pieces: list[str]) -> None:
    try:
        html_to_text("".join(pieces))
        markdown_to_text("\n".join(pieces))
    except PonderError:
        pass


WORDS = st.text(alphabet="abcdefgh.,!?é中文字\n \t", max_size=3000)


@settings(deadline=None)
@given(st.one_of(WORDS, st.text(max_size=500), WORDS.map(lambda s: s * 4)))
def test_passages_are_the_text_in_order(text: str) -> None:
    found = passages(text)
    last = 0
    for passage in found:
        assert text[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip() != ""
        assert text[last : passage.start].strip() == ""
        last = passage.end
        assert len(passage.text.split()) <= MOST
    assert text[last:].strip() == ""


def test_passages_end_where_sentences_and_paragraphs_do() -> None:
    sentence = "Nine words stand here in a row and stop. "
    text = "".join(sentence * 9 + "\n\n" for _ in range(3)).strip()
    assert [len(p.text.split()) for p in passages(text)] == [81, 81, 81]
    assert all(p.text.endswith("stop.") for p in passages(sentence * 60))


def test_passages_leave_no_scrap() -> None:
    lengths = [len(p.text.split()) for p in passages("word " * 125)]
    assert sum(lengths) == 125 and min(lengths) >= 60


def test_passages_of_text_without_blanks() -> None:
    assert max(len(p.text) for p in passages("中" * 1000)) <= MOST
    assert max(len(p.text) for p in passages("x" * 100_000)) <= MOST * 30
