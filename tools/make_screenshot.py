"""Makes docs/img/search.svg: a real search over the demo's collection, as a terminal shows it.

    .venv/bin/python tools/make_screenshot.py

Run it again when the models or the output change. The collection is copied to a short path first, so that
the lines fit.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
COLUMNS = 100
QUERY = "what a judge uses to time a race"
COMMAND = ["search", "shelf", QUERY, "--budget", "1024", "-k", "3"]


def main() -> None:
    """Index, search, and write the picture."""
    with tempfile.TemporaryDirectory(prefix="things-") as folder:
        shutil.copytree(ROOT / "src/ponder/demo/collection", folder, dirs_exist_ok=True)
        shelf = Path(folder).with_suffix(".shelf")
        try:
            subprocess.run([*ponder(), "index", str(shelf), folder], check=True)
            shown = in_a_terminal([*ponder(), "search", str(shelf), *COMMAND[2:]])
        finally:
            shutil.rmtree(shelf, ignore_errors=True)
    typed = " ".join(f'"{word}"' if " " in word else word for word in COMMAND)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "green"), (f"ponder {typed}", "bold")))
    console.print(Text.from_ansi(shown.replace(folder, "~/things")))
    target = ROOT / "docs/img/search.svg"
    target.parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(target), title="ponder", unique_id="search")
    print(target)


def ponder() -> list[str]:
    """The command of this environment."""
    return [sys.executable, "-m", "ponder"]


def in_a_terminal(command: list[str]) -> str:
    """What a command prints in a terminal of `COLUMNS` columns, with its colours; stderr is dropped."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # EIO: the other end is closed.
                break
            if not block:
                break
            said += block
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return said.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
