"""Tiny copies of the real models, made once a process."""

import pytest

from ponder.models.local.engine import LocalEngine
from ponder.testing.tiny import FAMILIES, make_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """From a family to an engine over its tiny model."""
    made = {}

    def give(family):
        if family not in made:
            made[family] = LocalEngine(str(make_tiny(family, tmp_path_factory.mktemp("tiny") / family)))
        return made[family]

    return give


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param
