"""Killing a process at work, at a moment of one's choice, many times."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_NURSERY = """
import os, signal, sys, time, warnings
# Libraries with threads warn that a forked child may hang; these are killed in any case.
warnings.simplefilter("ignore")
for _line in sys.stdin:
    _child = os.fork()
    if _child == 0:
        work(*sys.argv[1:])
        os._exit(0)
    time.sleep(float(_line))
    os.kill(_child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(_child, 0)[1]), flush=True)
"""


class Killing:
    r"""A process that has imported all it needs, and forks a child for each round: imports take a second.

    Args:
        program: Python that defines ``work(*arguments)``; its imports are made once.
        arguments: Texts.

    Example:
        >>> with Killing("import time\ndef work(seconds): time.sleep(float(seconds))", ["30"]) as killing:
        ...     killing.round(0.01)
        True
    """

    def __init__(self, program: str, arguments: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program) + _NURSERY, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self, delay: float) -> bool:
        """Begin the work and kill it after `delay` seconds; whether it was still at work.

        Raises:
            RuntimeError: The work failed by itself.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        print(delay, file=self._process.stdin, flush=True)
        told = self._process.stdout.readline()
        code = int(told) if told.strip() else 1
        if code not in (0, -signal.SIGKILL):
            raise RuntimeError(f"the work failed by itself: exit code {code}")
        return code == -signal.SIGKILL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Its input ends, and so does it.
        self._process.communicate()
