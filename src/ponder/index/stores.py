"""Where a shelf keeps its index: an address without secrets, and the index behind it."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ponder.errors import BadArguments
from ponder.index.lance import LanceIndex
from ponder.index.stored import StoredIndex

LOCAL = "lance"
"""The store in the shelf's own folder."""

URL_VARIABLE = "PONDER_STORE_URL"
"""The address with its password, where the store's own variables (PGPASSWORD, …) do not do."""

_FORMS = "lance, s3://BUCKET/PREFIX, postgresql://USER@HOST/DATABASE, qdrant+http://HOST:6333"
_SCHEMES = ("s3", "postgresql", "postgres", "qdrant+http", "qdrant+https")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_SECRET_OPTIONS = {"password", "sslpassword", "api_key", "api-key"}
_ELSEWHERE = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "postgresql": "PGPASSWORD (or a ~/.pgpass file)",
    "qdrant+http": "QDRANT_API_KEY",
}


def checked_store(address: str) -> str:
    """The address of a store, as a shelf's manifest may keep it.

    Args:
        address: ``lance``; ``s3://bucket/prefix``; ``postgresql://user@host/database``;
            ``qdrant+http://host:6333`` or ``qdrant+https://…``. The last two may end in ``#name``: the
            tables or the collection to use.

    Raises:
        BadArguments: It is none of these, or it holds a password.

    Example:
        >>> checked_store("postgres://ann@db.example/media#photos")
        'postgresql://ann@db.example/media#photos'
    """
    if address == LOCAL:
        return address
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise BadArguments(f"not an address: {error}", "--store", f"give {_FORMS}") from error
    scheme = "postgresql" if parts.scheme == "postgres" else parts.scheme
    if scheme not in _SCHEMES:
        raise BadArguments(f"no store of this kind: {_safe(address)!r}", "--store", f"give {_FORMS}")
    if _secret(address):
        variable = _ELSEWHERE[scheme.removesuffix("s") if scheme.startswith("qdrant") else scheme]
        raise BadArguments(
            "a password in the address would be kept in the shelf's manifest",
            _safe(address),
            f"leave it out and set {variable}, or {URL_VARIABLE} to the whole address",
        )
    if scheme == "s3":
        if not parts.netloc or not parts.path.strip("/"):
            raise BadArguments("a bucket and a prefix are needed", address, "give s3://BUCKET/PREFIX")
        return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    if parts.fragment and not _NAME.fullmatch(parts.fragment):
        raise BadArguments(
            f"not a name: {parts.fragment!r}", address, "use up to 40 of a-z, 0-9 and _, as in …#photos"
        )
    return urlunsplit(parts._replace(scheme=scheme))


def named_store(address: str) -> str:
    """The address with a new name for its tables, unless it has one or needs none."""
    if address == LOCAL or address.startswith("s3:") or urlsplit(address).fragment:
        return address
    return f"{address}#ponder_{uuid.uuid4().hex[:12]}"


def same_store(given: str, kept: str) -> bool:
    """Whether an address that was given means the store of a manifest; it may leave the name out."""
    return given == kept or (not urlsplit(given).fragment and given == kept.partition("#")[0])


def open_store(
    address: str, folder: Path, dim: int, *, effort: int = 0, exact_rows: int = 50_000
) -> StoredIndex:
    """The index at an address; it is made if need be.

    Args:
        address: Of `checked_store`, with a name.
        folder: Where the index of the store `LOCAL` lies.
        dim: Length of the vectors.
        effort: Of a search that names none; 0 is the index's own.
        exact_rows: From so many vectors on, the approximate index is built.

    Raises:
        MissingDependency: The store's client is not installed.
        InputInvalid: The store has vectors of another length.
        BackendFailed: The store cannot be reached.
    """
    url, _, name = _with_secrets(address).partition("#")
    if url.startswith("postgresql:"):
        from ponder.index.pgvector import PgvectorIndex

        return PgvectorIndex(url, name, dim, effort=effort, exact_rows=exact_rows)
    if url.startswith("qdrant+"):
        from ponder.index.qdrant import QdrantIndex
        from ponder.index.qdrant_points import connect

        client = connect(url.removeprefix("qdrant+"))
        return QdrantIndex(client, name, dim, effort=effort, exact_rows=exact_rows)
    path = folder if url == LOCAL else url
    return LanceIndex(path, dim, effort=effort, exact_rows=exact_rows)


def _with_secrets(address: str) -> str:
    """The address of the environment, if it is this one with its secrets."""
    whole = os.environ.get(URL_VARIABLE, "")
    if not whole or address == LOCAL:
        return address
    bare, _, name = address.partition("#")
    return f"{whole.partition('#')[0]}#{name}" if _bare(whole) == _bare(bare) else address


def _bare(address: str) -> tuple[str, ...]:
    """What an address says apart from its secrets and its name, to compare."""
    parts = urlsplit(address)
    scheme = "postgresql" if parts.scheme == "postgres" else parts.scheme
    user = "" if scheme.startswith("qdrant") else parts.username or ""
    options = [f"{key}={value}" for key, value in parse_qsl(parts.query) if key not in _SECRET_OPTIONS]
    return (scheme, user, parts.hostname or "", str(parts.port or ""), parts.path.rstrip("/"), *options)


def _secret(address: str) -> bool:
    parts = urlsplit(address)
    user = parts.username is not None and parts.scheme not in ("postgresql", "postgres")
    return user or parts.password is not None or any(k in _SECRET_OPTIONS for k, _ in parse_qsl(parts.query))


def _safe(address: str) -> str:
    """The address with what may be secret left out, to show."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
