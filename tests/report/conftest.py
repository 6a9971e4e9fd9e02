"""A suite of made-up results that tests only read."""

from __future__ import annotations

import pytest

from tests.synthetic_results import make_suite


@pytest.fixture(scope="session")
def suite(tmp_path_factory):
    return make_suite(tmp_path_factory.mktemp("results"))
