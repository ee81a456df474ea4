"""Known vulnerabilities of the pinned packages, by pip-audit; one clear line where it cannot be asked.

    python tools/audit.py

Exit code 1 when something is found; 0 when nothing is, or when pip-audit or the network is not there.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from packages import ROOT, constraints

_OFFLINE = (
    "ConnectionError",
    "Connection refused",
    "NameResolution",
    "Max retries",
    "Network is unreachable",
)
_SECONDS = 300


def main() -> int:
    """Ask, and say what came of it."""
    if importlib.util.find_spec("pip_audit") is None:
        print("audit: skipped: pip-audit is not installed (pip install pip-audit)")
        return 0
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        "constraints.txt",
        "--no-deps",
        "--disable-pip",
    ]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        print(f"audit: skipped: no answer within {_SECONDS} s")
        return 0
    if done.returncode and any(mark in done.stderr for mark in _OFFLINE):
        print("audit: skipped: the database of vulnerabilities cannot be reached from here")
        return 0
    unasked = done.stdout.count("could not be audited")
    if unasked == len(constraints()):
        # As on an index that mirrors packages and not what is known of them.
        print("audit: skipped: none of the packages is known to the database that answers here")
        return 0
    print(done.stdout + done.stderr, end="")
    said = "see above" if done.returncode else "nothing known"
    print(f"audit: {said}; {unasked} of {len(constraints())} packages could not be looked up")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
