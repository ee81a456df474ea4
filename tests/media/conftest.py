from __future__ import annotations

import pytest

from ponder.media import Limits


@pytest.fixture
def limits() -> Limits:
    return Limits()
