"""For every test: failures inside the contract suites show their values."""

import pytest

pytest.register_assert_rewrite("ponder.testing.contracts")
