"""For every test: no deadlines, contract suites show their values, the lite models load once."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("ponder.testing.contracts")

# A machine that is busy is no reason to fail.
settings.register_profile("ponder", deadline=None)
settings.load_profile("ponder")


@pytest.fixture(scope="session")
def lite_models():
    """The real lite models, shared by all tests of a process: their weights load once."""
    from ponder.presets.lite import build

    return build()
