"""How long `import ponder` and `ponder --help` take, beside importing the library one would use instead.

The peer is `import sentence_transformers`: with it, or with what is built on it, a person would embed and
search a folder by hand. ponder uses it too, but only once a model has to work.
"""

from __future__ import annotations

import sys

from harness import PONDER, finish, options, process_seconds, processor_seconds

LIMIT = 0.3
"""Seconds, of the issue: what still feels like at once."""


def main() -> None:
    arguments = options(__doc__).parse_args()
    bare = process_seconds([sys.executable, "-c", "pass"])
    imported = process_seconds([sys.executable, "-c", "import ponder"])
    # What `import ponder` puts off until a name is used.
    named = process_seconds([sys.executable, "-c", "import ponder; ponder.open; ponder.Retrieve"])
    helped = process_seconds([PONDER, "--help"])
    peer = process_seconds([sys.executable, "-c", "import sentence_transformers"], repeat=3, warm=1)
    finish(
        arguments,
        "startup",
        ours=imported,
        peer=peer,
        peer_name="import sentence_transformers",
        unit="seconds, whole process",
        limit_share=max(imported, helped) / LIMIT,
        checks={
            f"import ponder under {LIMIT} s": imported < LIMIT,
            f"ponder --help under {LIMIT} s": helped < LIMIT,
        },
        details={
            "import_ponder": round(imported, 4),
            "import_and_use_names": round(named, 4),
            "ponder_help": round(helped, 4),
            "ponder_help_processor": round(processor_seconds([PONDER, "--help"]), 4),
            "python_alone": round(bare, 4),
        },
        packages=["sentence-transformers", "torch"],
    )


if __name__ == "__main__":
    main()
