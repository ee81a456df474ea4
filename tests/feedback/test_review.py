"""The review page: what it shows, that names and texts cannot harm it, and that its file is read back."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import PIL.Image
import pytest
from bs4 import BeautifulSoup, Tag

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset, load_beir
from ponder.feedback.corrections import FORMAT, choices, read_corrections
from ponder.feedback.doubtful import doubtful
from ponder.feedback.review import Page, review_page
from ponder.train.pairs import DECISIONS, Pair, spelt

HARM = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>$pairs${queries}&lt;</bdi>\u202e"
FILE = "a\"onerror='x' $about &.png"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Texts and a picture, all with names that would like to be markup."""
    folder = tmp_path_factory.mktemp("review")
    (folder / "qrels").mkdir()
    PIL.Image.new("RGB", (900, 300), "red").save(folder / FILE)
    rows = [
        {"_id": f"right{HARM}", "text": f"right {HARM}"},
        {"_id": f"near{HARM}", "image": FILE},
        {"_id": "far", "text": "half a pair \ud800 " + "word " * 500},
        {"_id": "gone", "image": "gone.png"},
    ]
    (folder / "broken.png").write_bytes(b"no picture")
    rows.append({"_id": "broken", "image": "broken.png"})
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    queries = [{"_id": f"q{HARM}", "text": f"what {HARM}"}, {"_id": "q2", "text": "other"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    labels = f"q{HARM}\tright{HARM}\t1\nq2\tfar\t1\n"
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + labels)
    return load_beir(folder, split="train")


@pytest.fixture(scope="module")
def page(dataset: Dataset) -> Page:
    pairs = [
        Pair(f"q{HARM}", f"near{HARM}", "doubtful", HARM, rank=2, retrieval=0.5, judge=0.97, threshold=0.95),
        Pair("q2", "far", "suspect-positive", "labelled, but", 1, 400, 0.1, 0.2, 0.03),
        Pair("q2", "broken", "false-negative", "probable", chance=0.9),
        Pair("q2", "gone", "false-negative", "probable"),
    ]
    return review_page(dataset, pairs, f"about {HARM}")


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def soup_of(page: Page) -> BeautifulSoup:
    return BeautifulSoup(page.text, "html.parser")


def test_nothing_becomes_markup(page: Page) -> None:
    elements = Elements(page.text).seen
    counts = [tag for tag, _ in elements]
    assert counts.count("script") == 2
    assert counts.count("img") == 1
    for tag, attributes in elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert (attributes.get("src") or "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        assert not {"href", "srcset", "action", "style"} & set(attributes)
    shown = soup_of(page).get_text()
    assert f"what {HARM}" in shown
    assert f"right {HARM}" in shown
    assert f"about {HARM}" in shown
    page.text.encode("utf-8")


def test_only_its_own_script_may_run_and_nothing_is_fetched(page: Page) -> None:
    soup = soup_of(page)
    meta = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert isinstance(meta, Tag)
    rules = dict(rule.strip().split(" ", 1) for rule in str(meta["content"]).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    script = soup.find_all("script")[-1].string or ""
    for source, rule in ((script, "script-src"), (soup.find("style").string or "", "style-src")):  # type: ignore[union-attr]
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


def test_pictures_are_small_jpegs(page: Page) -> None:
    picture = soup_of(page).find("img")
    assert isinstance(picture, Tag)
    assert picture["alt"] == f"near{HARM}"
    data = base64.b64decode(str(picture["src"]).split(",", 1)[1])
    with PIL.Image.open(io.BytesIO(data)) as opened:
        assert (opened.format, max(opened.size)) == ("JPEG", 320)


def test_each_pair_has_its_figures_and_its_choices(page: Page) -> None:
    soup = soup_of(page)
    cards = soup.find_all("article")
    assert len(cards) == len(page.pairs) == 3
    assert "0.970" in cards[0].get_text()
    assert "0.950" in cards[0].get_text()
    for number, (card, pair) in enumerate(zip(cards, page.pairs, strict=True)):
        buttons = card.find_all("button")
        assert [button["data-decision"] for button in buttons] == [spelt(each) for each in choices(pair)]
        assert set(choices(pair)) <= set(DECISIONS)
        assert {button["data-pair"] for button in buttons} == {str(number)}
        assert all(button["type"] == "button" and button["aria-pressed"] == "false" for button in buttons)
        group = card.find(attrs={"role": "group"})
        assert isinstance(group, Tag)
        assert pair.document_id in str(group["aria-label"])
    for section in soup.find_all("section"):
        assert soup.find(id=section["aria-labelledby"]) is not None


def test_what_cannot_be_opened_is_said_and_listed(page: Page) -> None:
    assert [Path(each.uri).name for each in page.left_out] == ["broken.png"]
    assert "cannot be shown" in page.text


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_what_the_script_saves_is_what_is_read_back(page: Page, tmp_path: Path) -> None:
    soup = soup_of(page)
    told = soup.find(id="pairs").string or ""  # type: ignore[union-attr]
    buttons = [{**button.attrs, "group": number} for number, card in enumerate(soup.find_all("article"))
               for button in card.find_all("button")]  # fmt: skip
    script = files("ponder.feedback").joinpath("review.js").read_text("utf-8")
    browser = """
const told = %s, given = %s, files = [];
class Element {
  constructor(attributes) { this.attributes = attributes || {}; this.on = {}; this.textContent = "";
    this.dataset = { pair: this.attributes["data-pair"], decision: this.attributes["data-decision"] }; }
  addEventListener(name, then) { this.on[name] = then; }
  setAttribute(name, value) { this.attributes[name] = value; }
  click() { if (this.on.click) this.on.click(); }
  get parentElement() { return { querySelectorAll: () => buttons.filter(
    (each) => each.attributes.group === this.attributes.group) }; }
}
const buttons = given.map((each) => new Element(each));
const named = { pairs: new Element(), count: new Element(), save: new Element() };
named.pairs.textContent = told;
globalThis.document = { getElementById: (id) => named[id], querySelectorAll: () => buttons,
  createElement: () => new Element() };
globalThis.window = new Element();
globalThis.Blob = class { constructor(parts) { files.push(parts.join("")); } };
globalThis.URL = { createObjectURL: () => "blob:", revokeObjectURL: () => {} };
(0, eval)(%s);
buttons[0].click(); buttons[1].click(); buttons[4].click(); buttons[6].click(); buttons[6].click();
named.save.click();
console.log(JSON.stringify({ file: files[0], count: named.count.textContent,
  pressed: buttons.map((each) => each.attributes["aria-pressed"]) }));
"""
    source = browser % (json.dumps(told), json.dumps(buttons), json.dumps(script))
    done = subprocess.run(["node", "-"], input=source, capture_output=True, text=True, check=True)
    saved = json.loads(done.stdout)
    file = tmp_path / "corrections.json"
    file.write_text(saved["file"])
    first, second = page.pairs[:2]
    assert read_corrections(file) == {
        (first.query_id, first.document_id): choices(first)[1],
        (second.query_id, second.document_id): choices(second)[0],
    }
    assert saved["count"] == "2 of 3 decided"
    assert [number for number, each in enumerate(saved["pressed"]) if each == "true"] == [1, 4]


def test_the_pages_data_are_what_is_read_back(page: Page, tmp_path: Path) -> None:
    told = json.loads(soup_of(page).find(id="pairs").string or "")  # type: ignore[union-attr]
    assert told["format"] == FORMAT
    file = tmp_path / "corrections.json"
    file.write_text(json.dumps({"format": told["format"], "corrections": told["pairs"]}))
    assert read_corrections(file) == {(pair.query_id, pair.document_id): pair.decision for pair in page.pairs}


def test_the_kinds_come_in_turn_the_nearest_to_its_threshold_first() -> None:
    def hard(name: str, judge: float) -> Pair:
        return Pair("q", name, "hard-negative", judge=judge, threshold=0.95)

    pairs = [hard(f"n{number}", number / 100) for number in range(94)]
    pairs += [Pair("q", "spare", "false-negative"), Pair("q", "suspect", "suspect-positive", grade=1)]
    pairs += [Pair("q", "easy", "easy"), Pair("q", "done", "doubtful", decided_by="review")]
    chosen = [pair.document_id for pair in doubtful(iter(pairs), 4)]
    assert chosen == ["suspect", "spare", "n93", "n92"]
    many = [Pair("q", f"s{n}", "suspect-positive", judge=n / 1000, threshold=0.5) for n in range(400)]
    chosen = [pair.document_id for pair in doubtful([*many, *pairs], 5)]
    assert chosen == ["suspect", "spare", "n93", "s399", "n92"]


def test_pairs_of_another_data_set_are_refused(dataset: Dataset) -> None:
    with pytest.raises(InputInvalid, match="of this data set"):
        review_page(dataset, [Pair("else", "where", "doubtful")], "")


def test_the_page_fits_a_phone_and_the_dark(page: Page) -> None:
    style = soup_of(page).find("style").string or ""  # type: ignore[union-attr]
    assert "color-scheme: light dark" in style
    assert re.search(r"width: min\([^)]*100%\)", style)
    assert '<meta name="viewport" content="width=device-width' in page.text


def test_a_false_negative_is_as_near_as_the_figure_that_decided_it() -> None:
    """A copy stands by its closeness: a probability of .8 beside a closeness threshold of .8 says nothing."""
    copy = Pair("q", "copy", "false-negative", chance=0.8, threshold=0.8, figure=0.99)
    likely = Pair("q", "likely", "false-negative", chance=0.55, threshold=0.5, figure=0.55)
    assert [pair.document_id for pair in doubtful([copy, likely], 2)] == ["likely", "copy"]
