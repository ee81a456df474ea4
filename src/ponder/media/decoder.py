"""One process that opens files: how it is begun, asked, and ended when it is late, dead or out of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from ponder.errors import BackendFailed
from ponder.media.wire import Garbled, receive, send

if TYPE_CHECKING:
    from PIL.Image import Image

_PIPE = 1024 * 1024
"""Bytes: the most that Linux allows everyone."""


class Died(Exception):
    """The decoder has gone, or said nonsense, or has no memory left."""


class Decoder:
    """One process that opens files on request.

    Args:
        memory: Bytes of address space that it may take.

    Raises:
        BackendFailed: No process can be begun.
    """

    def __init__(self, memory: int) -> None:
        self._late = False
        source = str(Path(__file__).parents[2])
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")])),
            # Threads take address space, and there is nothing for them to do.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-m", "ponder.media.worker", str(memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            _widen(self.process.stdout)
        except OSError as error:
            raise BackendFailed(
                f"no process can be begun to open files in: {error.strerror}", sys.executable, "--isolate off"
            ) from error

    def ask(self, request: Mapping[str, Any], seconds: float) -> tuple[dict[str, Any], tuple[Image, ...]]:
        """The answer.

        Raises:
            TimeoutError: There was none in time; the process is ended.
            Died: There is none; the process has ended.
        """
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            send(cast("IO[bytes]", self.process.stdin), request)  # type: ignore[arg-type]
            fields, images = receive(cast("IO[bytes]", self.process.stdout))  # type: ignore[arg-type]
        except (Garbled, OSError):
            code = self.end()
            if self._late:
                raise TimeoutError from None
            raise Died(f"the decoder died of it ({_how(code)})") from None
        except BaseException:
            # Ctrl-C: its answer would be taken for the next one's.
            self.end()
            raise
        finally:
            timer.cancel()
        if self._late:
            self.end()
            raise TimeoutError
        if fields.get("memory"):
            self.end()
            raise Died("takes more memory to open than a decoder may have")
        return fields, images

    def end(self) -> int:
        """End the process; its exit code, negative for a signal."""
        # A process that has ended by itself keeps its code; a short while, because a pipe closes first.
        with suppress(subprocess.TimeoutExpired):
            if not self._late and self.process.stdin is not None:
                with suppress(OSError):
                    self.process.stdin.close()
                self.process.wait(0.5)
        self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return code

    def _kill_late(self) -> None:
        self._late = True
        self.process.kill()


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a whole picture stand in the pipe: each time it is full costs two changes of process."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(cast("IO[bytes]", pipe), fcntl.F_SETPIPE_SZ, _PIPE)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
