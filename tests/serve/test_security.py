"""Hostile requests: nothing is served, fetched, executed or crashed, and the next request is answered."""

import base64
import io
import itertools
import socket
import zipfile
import zlib

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ponder.cli.main import run
from ponder.errors import BadArguments
from ponder.serve.fetching import public_address
from ponder.serve.items import safe_name
from ponder.serve.settings import ServeSettings

SECRETS = ["/etc/passwd", "/etc/hostname", "/proc/self/environ", "../cache.sqlite", "../shelf/manifest.json"]
DOTS = [
    "",
    "../",
    "../../../../",
    "..%2f..%2f",
    "%2e%2e/",
    "..%252f",
    "....//",
    "..\\",
    "%c0%ae%c0%ae/",
    "/",
    "//",
]
ROUTES = ["/v1/items/{}", "/v1/items/{}/media", "/v1/items/{}/clip", "/v1/jobs/{}", "/static/{}", "/{}"]
PATHS = [
    route.format(dots + secret.lstrip("/"))
    for route, dots, secret in itertools.product(ROUTES, DOTS, SECRETS)
]
TEXTS = [
    "<script>alert(1)</script>",
    "'; DROP TABLE items; --",
    "\x00\x01\x02",
    "\U0001f600" * 1000,
    "{{7*7}}${7*7}",
    "a" * 90_000,
    "\u202ereversed\u202c",
    "%s%n%x",
    "../../etc/passwd",
    "\n\r\n\rX-Injected: 1",
]


def alive(client):
    return client.post("/v1/search", json={"text": "red kite", "budget": 0}).json()["hits"]


def test_no_path_leads_to_a_file_that_is_no_item(client):
    assert len(PATHS) > 200
    for path in PATHS:
        response = client.get(path)
        assert response.status_code in (400, 404, 405, 422), path
        assert "root:" not in response.text and "PATH=" not in response.text
    assert alive(client)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_only_text(client, text):
    for body in ({"text": text}, {"text": "red", "filter": text}, {"text": "red", "stages": text}):
        response = client.post("/v1/search", json={**body, "budget": 32})
        assert response.status_code in (200, 400, 422)
        assert "x-injected" not in response.headers
        assert "Traceback" not in response.text
    assert alive(client)


def bomb():
    """A PNG of 60,000 x 60,000 pixels in a few bytes."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a.png", b"x")
    return out.getvalue()


PICTURES = [
    b"",
    b"\xff\xd8",
    b"GIF89a",
    bomb(),
    zipped(),
    b"%PDF-1.7",
    b"<svg onload='x'/>",
    b"%!PS\nshowpage",
    b"\x00" * 5000,
]


@pytest.mark.parametrize("data", PICTURES, ids=range(len(PICTURES)))
def test_what_is_no_picture_is_refused(client, data):
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    asked = [
        ("/v1/search", {"image": url}),
        ("/v1/embeddings", {"input": {"image": url}}),
        ("/v1/rerank", {"query": "red", "documents": [{"image": url}, "red"]}),
    ]
    for path, body in asked:
        response = client.post(path, json=body)
        # One bad document among several is left out and named; a query that is one is refused.
        assert response.status_code in (400, 422) or path == "/v1/rerank", (path, response.text)
    assert alive(client)


URLS = [
    "http://127.0.0.1/a.png",
    "http://localhost:22/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://user:secret@127.0.0.1/",
    "https://[fe80::1]/",
]
OTHER = [
    "file:///etc/passwd",
    "ftp://a/b",
    "gopher://a",
    "javascript:alert(1)",
    "/etc/passwd",
    "data:text/html,x",
]


@pytest.mark.parametrize("url", [*URLS, *OTHER])
def test_no_url_is_fetched_unless_it_is_allowed(client, url):
    parts = [{"type": "image_url", "image_url": url}]
    for body in ({"input": {"image": url}}, {"messages": [{"content": parts}]}):
        assert client.post("/v1/embeddings", json=body).status_code in (400, 422)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "10.1.2.3", "fe80::1", "224.0.0.1"]
)
def test_no_address_but_a_public_one(host):
    with pytest.raises(BadArguments, match="not a public address"):
        public_address(host, 80)


def test_an_allowed_url_still_leads_nowhere_private(own_server):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        port = listening.getsockname()[1]
        with own_server(allow_urls=True) as address, httpx2.Client(base_url=address, timeout=60) as client:
            for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"):
                body = {"input": {"image": f"http://{host}:{port}/a.png"}}
                assert client.post("/v1/embeddings", json=body).status_code in (400, 422)
            assert alive(client)
        with pytest.raises(TimeoutError):
            listening.accept()


def test_only_the_roots_can_be_indexed(own_server, tmp_path):
    with own_server() as address, httpx2.Client(base_url=address, timeout=60) as client:
        (tmp_path / "files" / "out").symlink_to("/etc")
        for path in (
            "/etc",
            "/",
            str(tmp_path),
            str(tmp_path / "files" / ".." / "shelf"),
            "~",
            "\x00",
            str(tmp_path / "files" / "out"),
        ):
            assert client.post("/v1/items", json={"paths": [path]}).status_code == 400, path


def test_a_token_is_asked_for_and_no_other_will_do(own_server):
    with own_server(token="right") as address, httpx2.Client(base_url=address, timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": "right"},
            {"cookie": "ponder-token=x"},
        ):
            assert client.get("/v1/items", headers=headers).status_code == 401
        assert client.get("/v1/items", headers={"authorization": "Bearer right"}).status_code == 200


def test_other_hosts_and_other_sites_are_not_answered(client):
    assert client.get("/v1/items", headers={"host": "evil.example"}).status_code == 421
    asked = {"json": {"text": "red"}, "headers": {"origin": "https://evil.example"}}
    assert client.post("/v1/search", **asked).status_code == 403
    response = client.get("/healthz", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in response.headers
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]


def test_too_much_and_too_often_is_refused(own_server):
    with (
        own_server(max_body=10_000, per_minute=20) as address,
        httpx2.Client(base_url=address, timeout=60) as client,
    ):
        assert client.post("/v1/search", json={"text": "x" * 20_000}).status_code == 413

        def pieces():
            for _ in range(50):
                yield b"x" * 1000

        assert client.post("/v1/search", content=pieces()).status_code in (400, 413, 422)
        codes = [client.get("/v1/items").status_code for _ in range(25)]
        assert codes[0] == 200 and codes[-1] == 429
        assert int(client.get("/v1/items").headers["retry-after"]) >= 1


@given(st.text(max_size=300))
def test_names_of_uploads_stay_in_their_folder(name):
    safe = safe_name(name)
    assert safe and "/" not in safe and "\\" not in safe and "\x00" not in safe
    assert safe not in (".", "..") and not safe.startswith(".")
    assert len(safe) <= 140


def holding(values):
    return st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=8), values, max_size=3)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), holding, max_leaves=8)
ASKED = ("/v1/search", "/v1/embeddings", "/v1/rerank", "/v2/rerank", "/v1/items", "/v1/recommend")


@settings(max_examples=60)
@given(JSON)
def test_any_json_is_answered_clearly(server, body):
    with httpx2.Client(base_url=server, timeout=60) as client:
        for path in (
            "/v1/search",
            "/v1/embeddings",
            "/v1/rerank",
            "/v2/rerank",
            "/v1/items",
            "/v1/recommend",
        ):
            response = client.post(path, json=body)
            assert response.status_code < 500, (path, response.text)
            assert response.json()


def test_an_open_address_needs_a_token(tmp_path, capsys):
    with pytest.raises(BadArguments, match="can be reached by others"):
        ServeSettings(shelf=tmp_path, host="0.0.0.0")
    assert ServeSettings(shelf=tmp_path, host="0.0.0.0", token="x").loopback is False
    assert run(["serve", str(tmp_path), "--host", "0.0.0.0"]) == 2
    assert run(["serve", str(tmp_path / "nowhere")]) == 4
    for option in ("--root", "--scale"):
        assert run(["serve", str(tmp_path), option, str(tmp_path / "nowhere")]) == 4
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["serve", str(tmp_path), "--port", str(taken.getsockname()[1])]) == 2
    assert "something listens there already" in capsys.readouterr().err
    assert run(["serve", str(tmp_path), "--token", "t", "--host", "192.0.2.1"]) == 2
    capsys.readouterr()


def test_a_real_picture_still_works(client):
    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(out, "JPEG")
    url = f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
    assert client.post("/v1/search", json={"image": url, "budget": 32}).json()["hits"]


def test_half_a_character_is_no_server_error(client):
    for field in ("text", "filter", "instruction"):
        body = b'{"text": "red", "%s": "\\ud83d"}' % field.encode()
        response = client.post("/v1/search", content=body, headers={"content-type": "application/json"})
        assert response.status_code < 500, response.text
    assert alive(client)
