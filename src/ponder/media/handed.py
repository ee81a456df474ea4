"""Pictures, clips and documents handed over in memory, kept as files while they are looked at."""

from __future__ import annotations

import base64
import binascii
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ponder.errors import InputInvalid

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 32 * 1024 * 1024
"""Of one file, encoded: phones make pictures of some 10 MiB, and more is a mistake or malice."""


class Handed:
    """A private folder for pictures without a file, gone when it is closed.

    Models, judges and caches know a picture by its file: one that came as bytes or from PIL becomes a file
    like any other, and is opened under the same limits.

    Args:
        max_bytes: Most bytes of one file, as it is encoded.

    Example:
        >>> import PIL.Image
        >>> with Handed() as handed:
        ...     path = handed.picture(PIL.Image.new("RGB", (2, 2), "red"))
        ...     there = Path(path).exists()
        >>> there, Path(path).exists()
        (True, False)
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def picture(self, picture: Image | bytes) -> str:
        """Keep a picture; the path of its file.

        Args:
            picture: A PIL picture, or the bytes of a picture's file. Bytes are not decoded here.

        Raises:
            InputInvalid: There are too many bytes, or none; or the PIL picture cannot be written.
        """
        # Readers tell a picture's format by its content.
        if isinstance(picture, bytes | bytearray | memoryview):
            return self.file(picture, ".png")
        path = self._next(".png")
        try:
            # Little compression: the file lives for a moment.
            picture.save(path, "PNG", compress_level=1)
        except (OSError, ValueError):
            picture.convert("RGB").save(path, "PNG", compress_level=1)
        return str(path)

    def file(self, data: bytes | bytearray | memoryview, suffix: str) -> str:
        """Keep a file; its path.

        Args:
            data: Its bytes, which are not looked at here.
            suffix: What they are taken for: ".png" any picture, ".mp4" any clip, ".pdf".

        Raises:
            InputInvalid: There are too many bytes, or none.
        """
        if not 0 < len(data) <= self.max_bytes:
            raise InputInvalid(f"a file of {len(data):,} bytes", "", f"give 1 to {self.max_bytes:,} bytes")
        path = self._next(suffix)
        path.write_bytes(data)
        return str(path)

    def encoded(self, text: str, suffix: str = ".png") -> str:
        """Keep a file given as base64, alone or as a ``data:`` URL; its path.

        Args:
            text: The base64.
            suffix: As for `file`.

        Raises:
            InputInvalid: It is not base64, or too long.

        Example:
            >>> with Handed() as handed:
            ...     Path(handed.encoded("data:image/png;base64,aGVsbG8=")).read_bytes()
            b'hello'
        """
        head, comma, body = text.partition(",") if text.startswith("data:") else ("", "", text)
        if head and not (comma and head.endswith(";base64")):
            raise InputInvalid("a data URL that is not base64", "image", "write data:TYPE;base64,...")
        # Base64 has four characters for three bytes: too long is known before anything is decoded.
        if len(body) > self.max_bytes * 4 // 3 + 4:
            raise InputInvalid(
                f"a file of {len(body):,} characters", "", f"give at most {self.max_bytes:,} bytes"
            )
        try:
            data = base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputInvalid(f"not base64: {error}", "image", "encode the file's bytes as base64") from None
        return self.file(data, suffix)

    def _next(self, suffix: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="ponder-")
        self._count += 1
        return Path(self._folder.name) / f"{self._count}{suffix}"

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
