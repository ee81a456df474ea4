"""The software bill of materials, in CycloneDX 1.6 JSON: https://cyclonedx.org/docs/1.6/json/

    python tools/sbom.py [FILE]

Packages come from constraints.txt, weights from models/pins.yaml with the sha256 of their wheels. The same
sources give the same bytes: the time is SOURCE_DATE_EPOCH, or that of the commit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from licences import STATED
from packages import ROOT, constraints, licence_of

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/ponder")


def sbom() -> dict[str, Any]:
    """The bill."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    components = [*_packages(), *_weights()]
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": _time(),
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "purl": own,
                "licenses": [{"license": {"id": project["license"]}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [each["bom-ref"] for each in components]}],
    }
    serial = uuid.uuid5(_SPACE, json.dumps(told, sort_keys=True))
    return {**told, "serialNumber": f"urn:uuid:{serial}"}


def _packages() -> list[dict[str, Any]]:
    found = []
    for name, version in sorted(constraints().items()):
        purl = f"pkg:pypi/{name}@{version}"
        licence = STATED[name][0] if name in STATED else licence_of(name)
        each: dict[str, Any] = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "purl": purl,
        }
        found.append(each | _licensed(licence))
    return found


def _weights() -> list[dict[str, Any]]:
    from ponder.models.pins import pins

    found = []
    for pin in pins().values():
        each: dict[str, Any] = {
            "type": "machine-learning-model",
            "bom-ref": f"weights:{pin.name}@{pin.version}",
            "name": pin.name,
            "version": pin.version,
            "description": pin.about,
        }
        if pin.scheme == "pypi":
            each["purl"] = f"pkg:pypi/{pin.location.partition('==')[0]}@{pin.version}?file_name={pin.wheel}"
        if pin.sha256:
            each["hashes"] = [{"alg": "SHA-256", "content": pin.sha256}]
        found.append(each | _licensed(pin.licence))
    return found


def _licensed(licence: str) -> Mapping[str, Any]:
    # An expression is also valid for one licence, and need not be looked up in the list of identifiers.
    return {"licenses": [{"expression": licence}]} if licence else {}


def _time() -> str:
    told = os.environ.get("SOURCE_DATE_EPOCH") or _commit_time()
    return datetime.fromtimestamp(int(told), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _commit_time() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "0"


def main() -> None:
    """Write the bill to the file that is named, or print it."""
    text = json.dumps(sbom(), indent=2, ensure_ascii=False) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
