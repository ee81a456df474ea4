"""Live servers for the tests: one for all that only ask, one of their own for those that change something."""

import httpx2
import pytest
from serving import serving


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def client(server):
    with httpx2.Client(base_url=server, timeout=60) as opened:
        yield opened


@pytest.fixture
def own_server(tmp_path):
    """To a server of the test's own, which may change its shelf."""
    return lambda models=None, **told: serving(tmp_path, models, **told)
