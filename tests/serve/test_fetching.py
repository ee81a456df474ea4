"""URLs of requests, fetched over real TLS from a server of the test's own."""

import http.server
import ssl
import threading

import pytest

from ponder.errors import BadArguments, InputInvalid
from ponder.serve.fetching import fetch, public_address

trustme = pytest.importorskip("trustme")

NAME = "pictures.example"
"""RFC 2606 keeps it free: no name server knows an address of it."""


LEADS = {"/inside": "https://127.0.0.1/secret", "/round": "/round"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was asked for, or leads on."""

    def do_GET(self):
        body = b"x" * 5000 if self.path == "/long" else f"{self.headers['host']}{self.path}".encode()
        self.send_response(302 if self.path in LEADS else 200)
        self.send_header("location", LEADS.get(self.path, ""))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told):
        """Nothing is printed."""


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def port(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def trusted(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def here(host, port):
    """The test's server for its name, and what the product would find for any other."""
    return "127.0.0.1" if host.endswith(".example") else public_address(host, port)


def test_the_certificate_is_checked_against_the_name_and_the_name_is_told(port, trusted):
    got = fetch(f"https://{NAME}:{port}/a.png?b=1", 100, resolve=here, trusted=trusted)
    assert got == f"{NAME}:{port}/a.png?b=1".encode()


def test_a_certificate_for_another_name_is_refused(port, trusted):
    with pytest.raises(InputInvalid, match="ConnectError"):
        fetch(f"https://other.example:{port}/a.png", 100, resolve=here, trusted=trusted)


def test_a_certificate_that_nobody_vouches_for_is_refused(port):
    with pytest.raises(InputInvalid, match="ConnectError"):
        fetch(f"https://{NAME}:{port}/a.png", 100, resolve=here)


def test_a_redirect_to_a_private_address_is_not_followed(port, trusted):
    with pytest.raises(BadArguments, match="not a public address"):
        fetch(f"https://{NAME}:{port}/inside", 100, resolve=here, trusted=trusted)


def test_redirects_in_a_circle_end(port, trusted):
    with pytest.raises(InputInvalid, match="too many redirects"):
        fetch(f"https://{NAME}:{port}/round", 100, resolve=here, trusted=trusted)


def test_too_many_bytes_are_not_read(port, trusted):
    with pytest.raises(InputInvalid, match="more than 100 bytes"):
        fetch(f"https://{NAME}:{port}/long", 100, resolve=here, trusted=trusted)


def test_by_default_the_name_has_to_lead_to_a_public_address(port, trusted):
    with pytest.raises(BadArguments, match="not a public address"):
        fetch(f"https://localhost:{port}/a.png", 100, trusted=trusted)
