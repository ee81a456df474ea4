import pytest

pytest.register_assert_rewrite("ponder.testing.contracts")
