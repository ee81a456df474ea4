"""Files that requests name: data URLs always, http only where it is allowed and leads to public places."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from ponder.errors import BadArguments, InputInvalid
from ponder.media.handed import Handed

REDIRECTS = 3
SECONDS = 15.0


def handed_over(told: str, handed: Handed, *, allow_urls: bool, suffix: str = ".png") -> str:
    """The file of a picture, clip or document that a request gives.

    Args:
        told: A ``data:`` URL, base64, or a URL.
        handed: Keeps the file.
        allow_urls: Whether to fetch.
        suffix: What it is taken for, as `Handed.file` has it.

    Raises:
        BadArguments: URLs are off, or lead to a private address.
        InputInvalid: It cannot be read or fetched.
    """
    if told.startswith(("http://", "https://")):
        if not allow_urls:
            raise BadArguments("URLs are off on this server", "image", "send a data URL")
        return handed.file(fetch(told, handed.max_bytes), suffix)
    if ":" in told[:16] and not told.startswith("data:"):
        raise BadArguments("not a URL of ours", "image", "send a data URL or base64")
    return handed.encoded(told, suffix)


def fetch(
    url: str,
    max_bytes: int,
    *,
    resolve: Callable[[str, int], str] | None = None,
    trusted: ssl.SSLContext | None = None,
) -> bytes:
    """Get a URL's bytes; every address on the way is checked before it is spoken to.

    Args:
        url: Of http or https.
        max_bytes: Most that is read.
        resolve: Gives a host's address; by default `public_address`.
        trusted: Whose certificates count; by default those that httpx trusts. They are checked against the
            URL's name, not against the address.

    Raises:
        BadArguments: An address is not public.
        InputInvalid: It cannot be got, is too large or takes too long.
    """
    import httpx2

    ends = time.monotonic() + SECONDS
    for _ in range(REDIRECTS + 1):
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
            raise BadArguments("not a public URL", "image", "give http://HOST/… without a password")
        address = (resolve or public_address)(host, parts.port or (443 if parts.scheme == "https" else 80))
        # Spoken to by the address that was checked: asking for the name again could give another.
        plain = f"[{address}]" if ":" in address else address
        target = parts._replace(netloc=plain + (f":{parts.port}" if parts.port else "")).geturl()
        try:
            with (
                httpx2.Client(
                    timeout=5.0, follow_redirects=False, trust_env=False, verify=trusted or True
                ) as client,
                client.stream(
                    "GET", target, headers={"host": parts.netloc}, extensions={"sni_hostname": host}
                ) as response,
            ):
                if response.is_redirect:
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                response.raise_for_status()
                return _read(response, max_bytes, ends)
        except httpx2.HTTPError as error:
            raise InputInvalid(
                f"cannot be fetched: {type(error).__name__}", "image", "check the URL"
            ) from None
    raise InputInvalid("too many redirects", "image", "give the picture's own URL")


def public_address(host: str, port: int) -> str:
    """An address of a host, all of whose addresses are public.

    Raises:
        BadArguments: One of them is not.
        InputInvalid: There is none.
    """
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise InputInvalid("no such host", "image", "check the URL") from None
    for address in found:
        known = ipaddress.ip_address(address.split("%", 1)[0])
        inner = getattr(known, "ipv4_mapped", None) or getattr(known, "sixtofour", None)
        if not known.is_global or known.is_multicast or (inner is not None and not inner.is_global):
            raise BadArguments("not a public address", "image", "send the picture as a data URL")
    return min(found)


def _read(response: object, max_bytes: int, ends: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():  # type: ignore[attr-defined]
        size += len(chunk)
        if size > max_bytes:
            raise InputInvalid(f"more than {max_bytes:,} bytes", "image", "give a smaller picture")
        if time.monotonic() > ends:
            raise InputInvalid(f"took more than {SECONDS:.0f} s", "image", "send the picture as a data URL")
        parts.append(chunk)
    return b"".join(parts)
