"""Every family passes the suite of engines, at its real architecture."""

import pytest

from ponder.models.local.engine import LocalEngine
from ponder.testing.contracts import EngineContract
from ponder.testing.tiny import FAMILIES


@pytest.fixture(params=FAMILIES)
def folder(request, tiny_folder):
    return tiny_folder(request.param)


class TestTiny(EngineContract):
    @pytest.fixture
    def engine(self, folder):
        return LocalEngine(str(folder))

    def test_fingerprint_is_the_same_for_the_same_settings(self, folder):
        assert LocalEngine(str(folder)).fingerprint == LocalEngine(str(folder)).fingerprint
