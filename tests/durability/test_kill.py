"""A suite whose run or worker is killed at any instant ends, resumed, with the bytes of an undisturbed one."""

from __future__ import annotations

import time

import pytest

from tests.durability.helpers import figures, is_alive, kill, start, tables, wait_until, writers
from tests.suites.conftest import PLUGIN
from twin.execution.execute import Execution
from twin.execution.suite import resume
from twin.random import uniform_one
from twin.results import Results

WINDOW = 2.5  # s of wall time within which the blow falls, counted from the first run's begin; six runs take 3
FEW, MANY = range(3), range(3, 23)
VICTIMS = ("run", "worker")


def blow(number: int) -> float:
    """Return after how many seconds blow `number` falls: random, and the same in every test run."""
    return WINDOW * uniform_one(20261121, "kill", number)


@pytest.mark.parametrize("number", [*FEW, *(pytest.param(n, marks=pytest.mark.slow) for n in MANY)])
def test_a_killed_suite_is_resumed_to_the_same_bytes(undisturbed, tmp_path, number):
    scenario, whole = undisturbed
    folder = tmp_path / "tiny"
    process = start(scenario, tmp_path)
    wait_until(lambda: list(folder.rglob("case.json")), "the first run to begin")
    time.sleep(blow(number))
    workers = writers(folder)
    if VICTIMS[number % 2] == "run" or not workers:
        kill(process.pid)
    else:
        kill(workers[number % len(workers)])
    process.communicate(timeout=120)
    records = resume(folder, [PLUGIN], Execution(workers=1, patience=60.0))
    assert {record.status for record in records} == {"complete"}
    assert tables(folder) == tables(whole)
    assert figures(folder) == figures(whole)
    assert {run.status for run in Results(folder).runs} == {"complete"}
    left = [path.name for path in folder.rglob("*") if path.name.endswith((".tmp", ".lock", ".npz"))]
    assert [name for name in left if name in {"writer.lock", "snapshot.npz"} or name.endswith(".tmp")] == []
    wait_until(lambda: not any(map(is_alive, workers)), "the workers of the killed run to leave")


def test_a_killed_worker_costs_its_suite_nothing(undisturbed, tmp_path):
    scenario, whole = undisturbed
    folder = tmp_path / "tiny"
    process = start(scenario, tmp_path)
    wait_until(lambda: len(writers(folder)) == 2, "two workers to write")
    kill(writers(folder)[0])
    assert process.communicate(timeout=120)[0].strip() == "['complete']"
    assert tables(folder) == tables(whole)
