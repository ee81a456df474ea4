"""Engines over the tiny models, one a family."""

import pytest

from ponder.models.local.engine import LocalEngine
from ponder.testing.tiny import FAMILIES


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """From a family to an engine over its tiny model."""
    made = {}

    def give(family):
        if family not in made:
            made[family] = LocalEngine(str(tiny_folder(family)))
        return made[family]

    return give


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param
