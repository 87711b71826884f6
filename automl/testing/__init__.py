"""Suites of tests for a sampler, a schedule or a store of your own; they need pytest.

The ones of this package pass the same suites. Write a test file with a subclass whose name begins with `Test`:

    from automl.testing.stores import StoreSuite

    class TestMine(StoreSuite):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)
"""

import pytest

__all__: list[str] = []

# An assertion that fails shows its values only in modules that pytest rewrites when they are imported
pytest.register_assert_rewrite("automl.testing.samplers", "automl.testing.schedules", "automl.testing.stores")
