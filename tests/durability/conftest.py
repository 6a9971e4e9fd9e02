"""The tiny suite once undisturbed, to hold others against."""

from __future__ import annotations

import pytest

from tests.durability.helpers import OPTIONS
from tests.suites.conftest import PLUGIN, write_scenario
from twin.execution.execute import Execution
from twin.execution.suite import run_suite
from twin.scenario import load


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Return the scenario's file and the folder of its suite."""
    folder = tmp_path_factory.mktemp("undisturbed")
    path = write_scenario(folder, OPTIONS)
    outcome = run_suite(load(path, plugins=[PLUGIN]), folder / "out", execution=Execution(2, warm=False))
    assert outcome.is_complete
    return path, folder / "out" / "tiny"
