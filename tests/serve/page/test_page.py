"""The page in a real Chromium: what people do, by mouse and by keys; nothing comes from elsewhere or runs."""

import json
import re
import shutil
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from serving import serving

from ponder.serve.page.marks import read_marks
from ponder.shelf import open_shelf
from ponder.testing import FakeModels
from ponder.testing.faults.samples import sample_media

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[3] / ".venv" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: make browser")

HOSTILE = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>.txt"
TWO = "red kite"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def place(tmp_path):
    with serving(tmp_path) as address:
        yield address


@pytest.fixture
def page(browser, place):
    """A page that must not complain, and may ask nobody but the server."""
    with visiting(browser, place) as opened:
        yield opened


class visiting:
    def __init__(self, browser, address, path="/", **told):
        self.told, self.browser, self.address, self.path = told, browser, address, path
        self.complaints, self.elsewhere, self.bytes = [], [], 0

    def __enter__(self):
        self.context = self.browser.new_context(**self.told)
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda told: told.type == "error" and self.complaints.append(told.text))
        page.on("request", lambda asked: self._watch(asked.url))
        page.goto(self.address + self.path)
        return page

    def _watch(self, url):
        if not url.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(url)

    def __exit__(self, kind, error, trace):
        self.context.close()
        if kind is None:
            assert not self.complaints, self.complaints
            assert not self.elsewhere, self.elsewhere


def ask(page, words):
    page.fill("#text", words)
    page.press("#text", "Enter")
    ready(page)


def ready(page):
    page.locator("#status", has_text=re.compile(r"\d hits?\b")).wait_for()
    page.locator("#hits:not([aria-busy])").wait_for()


def names(page):
    return page.locator(".hit .name").all_inner_texts()


def test_a_search_by_words_is_what_the_api_answers_and_is_explained(page, place):
    ask(page, TWO)
    found = httpx2.post(
        f"{place}/v1/search", json={"text": TWO, "budget": 256, "k": 12, "allocate": "adaptive"}
    ).json()
    assert names(page) == [hit["uri"].rsplit("/", 1)[-1] for hit in found["hits"]]
    spent = found["usage"]["read"] + found["usage"]["written"]
    assert page.inner_text("#spent-words") == f"{spent} of 256 tokens"
    page.click(".hit >> nth=0 >> [data-act=explain]")
    rows = page.locator(".hit >> nth=0 >> tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == [stage["name"] for stage in found["hits"][0]["stages"]]


def test_the_slider_buys_another_answer_and_hits_move(page, place):
    def order(budget):
        body = {"text": "red fox tree", "budget": budget, "k": 12, "allocate": "adaptive"}
        return [
            hit["uri"].rsplit("/", 1)[-1]
            for hit in httpx2.post(f"{place}/v1/search", json=body).json()["hits"]
        ]

    ask(page, "red fox tree")
    page.focus("#budget")
    page.press("#budget", "Home")
    page.locator("#spent-words", has_text="0 of 0 tokens").wait_for()
    ready(page)
    assert names(page) == order(0)
    assert "by stored vectors alone" in page.inner_text("#buys")
    page.press("#budget", "End")
    page.locator("#spent-words", has_text="of 4,096").wait_for()
    ready(page)
    assert names(page) == order(4096)


def test_a_picture_is_searched_for_and_taken_away(page, tmp_path):
    Image.new("RGB", (40, 40), (200, 30, 30)).save(tmp_path / "asked.png")
    page.set_input_files("#file", tmp_path / "asked.png")
    ready(page)
    assert page.locator("#given").is_visible()
    assert names(page)
    page.click("#given-drop")
    assert not page.locator("#given").is_visible()


def pdf(path, *pages):
    """A PDF with words on each page."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path))
    for words in pages:
        canvas.drawString(100, 700, words)
        canvas.showPage()
    canvas.save()
    return path


def answered(place, body):
    """What the API answers to what the page asked."""
    found = httpx2.post(f"{place}/v1/search", json={**body, "stream": False}).json()
    return [hit["uri"].rsplit("/", 1)[-1] for hit in found["hits"]]


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_pdfs_page_is_searched_for(page, place, tmp_path, way):
    made = pdf(tmp_path / "asked.pdf", "an old oak tree", "a blue whale in the sea")
    with page.expect_request("**/v1/search") as first:
        handed(page, made, "application/pdf", way)
    ready(page)
    assert names(page) == answered(place, first.value.post_data_json)
    assert "asked.pdf" in page.inner_text("#given")
    page.fill("#given-page", "2")
    with page.expect_request("**/v1/search") as second:
        page.press("#given-page", "Tab")
    assert [told.value.post_data_json["page"] for told in (first, second)] == [1, 2]
    ready(page)
    assert names(page) == answered(place, second.value.post_data_json)
    page.fill("#given-page", "3")
    page.press("#given-page", "Tab")
    page.locator("#status.bad").wait_for()
    page.click("#given-drop")
    assert not page.locator("#given").is_visible()


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_clip_is_searched_for(page, tmp_path, way):
    clips = [path for path in sample_media(tmp_path / "made") if path.suffix in (".webm", ".mp4")]
    handed(page, clips[0], f"video/{clips[0].suffix[1:]}", way)
    ready(page)
    assert page.locator("#given video").is_visible()
    assert len(names(page)) == 5
    page.click(".hit >> nth=0 >> [data-act=right]")
    page.locator("#status.bad", has_text="by words").wait_for()


def test_what_cannot_be_searched_for_is_told(page, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    handed(page, tmp_path / "a.zip", "application/zip", "drop")
    page.locator("#status.bad", has_text="Pictures, clips and PDFs").wait_for()


def handed(page, path, kind, way):
    """Give the page a file, by the input or as a drag or the clipboard brings it."""
    if way == "choose":
        page.set_input_files("#file", path)
        return
    told = {"name": path.name, "kind": kind, "bytes": list(path.read_bytes()), "way": way}
    page.evaluate(
        """({ name, kind, bytes, way }) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], name, { type: kind }));
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(way === "drop"
            ? new DragEvent("drop", { ...options, dataTransfer: data })
            : new ClipboardEvent("paste", { ...options, clipboardData: data }));
        }""",
        told,
    )


def test_kinds_and_filters_hold_and_a_wrong_one_is_told(page):
    ask(page, TWO)
    page.click("text=Pictures")
    page.locator("#status", has_text=re.compile("^1 hit in")).wait_for()
    assert names(page) == ["red.png"]
    assert page.locator(".hit img").get_attribute("alt")
    page.click("text=More")
    page.fill("#filter", "kind =")
    page.press("#filter", "Enter")
    page.locator("#status.bad").wait_for()
    assert "filter" in page.inner_text("#status").lower()


def test_more_like_this_and_less_like_that(page):
    ask(page, TWO)
    first = names(page)[0]
    page.click(".hit >> nth=0 >> [data-act=like]")
    page.locator("#status", has_text="like 1 and unlike 0").wait_for()
    assert first not in names(page)
    second = names(page)[-1]
    page.click(".hit >> nth=-1 >> [data-act=dislike]")
    page.locator("#status", has_text="like 1 and unlike 1").wait_for()
    assert not {first, second} & set(names(page))


def test_marks_are_kept_taken_back_and_made_a_data_set(page, tmp_path, capsys):
    from ponder.cli.main import run

    ask(page, TWO)
    page.click(".hit >> nth=0 >> [data-act=right]")
    page.locator("#status", has_text="Marked right").wait_for()
    page.click(".hit >> nth=1 >> [data-act=wrong]")
    page.locator("#status", has_text="Marked wrong").wait_for()
    assert sorted(read_marks(tmp_path / "shelf")[TWO].values()) == [0, 1]
    # They are about these words: the same hits of others are not marked.
    ask(page, "red")
    page.locator("#hits:not(:has([aria-pressed=true]))").wait_for()
    ask(page, TWO)
    page.click(".hit >> nth=1 >> [data-act=wrong]")
    page.locator("#status", has_text="Marked wrong").wait_for()
    page.click(".hit >> nth=1 >> [data-act=wrong]")
    page.locator("#status", has_text="taken back").wait_for()
    assert list(read_marks(tmp_path / "shelf")[TWO].values()) == [1]
    page.click(".hit >> nth=1 >> [data-act=wrong]")
    page.locator("#status", has_text="Marked wrong").wait_for()
    assert run(["marks", str(tmp_path / "shelf"), "--out", str(tmp_path / "set"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["queries"], told["right"], told["wrong"], told["documents"]) == (1, 1, 1, 5)
    mine = [
        "mine",
        str(tmp_path / "set"),
        "--split",
        "train",
        "--models",
        "fake",
        "--out",
        str(tmp_path / "pairs"),
    ]
    assert run(mine) == 0
    capsys.readouterr()


def test_everything_goes_by_keys(page, tmp_path):
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(TWO)
    page.keyboard.press("Enter")
    ready(page)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("2:")
    page.keyboard.press("e")
    assert page.locator(".hit >> nth=1 >> .stages").is_visible()
    page.keyboard.press("r")
    page.locator("#status", has_text="Marked right").wait_for()
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("1:")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    assert "/v1/items/" in opened.value.url


def test_files_are_uploaded_indexed_and_found(browser, place, tmp_path):
    (tmp_path / "umbrella.txt").write_text("a violet umbrella in the rain")
    with visiting(browser, place, "/collection") as page:
        page.set_input_files("#files", tmp_path / "umbrella.txt")
        page.click("text=Upload and index")
        page.locator("#jobs .state.done").wait_for()
        assert "1 added" in page.inner_text("#jobs")
        page.click("text=Show the collection as it is now")
        assert "umbrella.txt" in page.locator(".tiles .name").all_inner_texts()
        page.click("text=Search")
        ask(page, "violet umbrella")
        assert names(page)[0] == "umbrella.txt"


def test_an_upload_that_is_refused_says_why_and_the_next_one_works(browser, place, tmp_path):
    (tmp_path / "odd.xyz").write_text("a violet umbrella")
    (tmp_path / "umbrella.txt").write_text("a violet umbrella")
    with visiting(browser, place, "/collection") as page:
        page.set_input_files("#files", tmp_path / "odd.xyz")
        page.click("text=Upload and index")
        page.locator("#jobs .bad", has_text="odd.xyz").wait_for()
        page.set_input_files("#files", tmp_path / "umbrella.txt")
        page.click("text=Upload and index")
        page.locator("#jobs .state.done").wait_for()


def test_hostile_names_and_words_are_only_shown(browser, tmp_path):
    (tmp_path / "files").mkdir()
    name = HOSTILE.replace("/", "∕")
    (tmp_path / "files" / name).write_text("red kite </p><script>window.hurt=1</script>{{7*7}}")
    with serving(tmp_path) as address:
        for path in ("/", "/collection"):
            with visiting(browser, address, path) as page:
                if path == "/":
                    ask(page, "red kite </script><script>window.hurt=1</script>")
                    assert name in names(page)
                assert page.evaluate("window.hurt") is None
                assert "49" not in page.inner_text("main")


def test_a_token_is_asked_for_once(browser, tmp_path):
    with serving(tmp_path, token="secret") as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        assert page.url.endswith("/page/token")
        page.fill("#token", "wrong")
        page.click("text=Continue")
        assert "not the token" in page.inner_text("main")
        page.fill("#token", "secret")
        page.click("text=Continue")
        ask(page, TWO)
        assert names(page)
        [cookie] = context.cookies()
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        context.close()


def curve(folder):
    folder.mkdir()
    point = {
        "budget": 64,
        "value": 0.5,
        "ci95": [0.4, 0.6],
        "spent": 31.0,
        "gained": [{"id": "q", "text": "<b>won</b>"}],
    }
    told = {"dataset": "d", "split": "dev", "metric": "hit@1", "queries": 9, "models": "lite"}
    series = [{"name": "on-adaptive", "points": [{**point, "lost": []}]}]
    (folder / "curve.json").write_text(json.dumps({**told, "series": series}))
    (folder / "curve.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"/>')
    return folder


VIEWS = ("/", "/collection", "/evaluation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_overflows_and_axe_finds_nothing_serious(browser, tmp_path, scheme, width):
    with serving(tmp_path, scale=(curve(tmp_path / "curve"), tmp_path / "none")) as address:
        for path in VIEWS:
            told = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
            with visiting(browser, address, path, **told) as page:
                if path == "/":
                    ask(page, TWO)
                    page.click(".hit >> nth=0 >> [data-act=explain]")
                if path == "/evaluation":
                    assert "<b>won</b>" in page.inner_html("main").replace("&lt;", "<").replace("&gt;", ">")
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (path, wide)
                if AXE.is_file():
                    page.add_script_tag(content=AXE.read_text())
                    found = page.evaluate("axe.run()")
                    bad = [
                        (each["id"], [node["html"] for node in each["nodes"][:3]])
                        for each in found["violations"]
                        if each["impact"] in ("serious", "critical")
                    ]
                    assert not bad, (path, bad)


@pytest.mark.parametrize("path", VIEWS)
def test_the_page_is_light(place, path):
    """Besides pictures at most 60 KB come over the line."""
    with httpx2.Client(base_url=place) as client:
        html = client.get(path)
        linked = re.findall(r'(?:href|src)="(/static/[^"]+)"', html.text)
        sizes = {}
        for name in {path, *linked}:
            with client.stream("GET", name, headers={"accept-encoding": "gzip"}) as response:
                sizes[name] = sum(len(chunk) for chunk in response.iter_raw())
    assert linked and sum(sizes.values()) <= 60_000, sizes


def test_a_shelf_without_items_says_so(browser, tmp_path):
    from ponder.index.cache import Cache

    (tmp_path / "files").mkdir()
    with Cache(tmp_path / "c.sqlite") as cache, open_shelf(tmp_path / "shelf", FakeModels(), cache=cache):
        pass
    with serving(tmp_path, index=False) as address, visiting(browser, address) as page:
        page.fill("#text", TWO)
        page.press("#text", "Enter")
        page.locator("#status", has_text="0 hits").wait_for()
