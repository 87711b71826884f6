"""Suites of tests that a sampler, a schedule or a store of your own can be run against; they need pytest.

Ours pass the same ones. A test file of yours makes a subclass whose name begins with `Test`:

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
