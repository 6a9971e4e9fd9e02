"""The compiled service as a model: the same run as alone, in any pieces, in threads, and from a scenario file."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import twin
from twin.contract import HOUR
from twin.execution.run import assemble
from twin.models.emergency.ambulance_service import _calls, region_of
from twin.models.emergency.response import Result
from twin.models.emergency.rules import Rules
from twin.models.emergency.simulation import Simulation
from twin.world import World

TEXT = """\
scenario: service
title: Ambulances by themselves
city: {name: nusantara, scale: 0.25}
start: 2026-01-15 17:00
duration: 24 h
seed: 5
replications: 4
models: [ambulance_service]
options: {ambulance_service: {calls_factor: 40, units_factor: 2, dispatch: RULE}}
record: {every: 12 h}
"""


@cache
def case(folder, rule="nearest"):
    path = folder / f"{rule}.yaml"
    path.write_text(TEXT.replace("RULE", rule))
    return twin.load(path).cases()[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("service")


def world(folder, rule="nearest"):
    return World(assemble(case(folder, rule), case(folder, rule).city()))


@pytest.mark.parametrize("rule", ["nearest", "dmexclp"])
def test_it_gives_the_figures_of_the_simulator_alone(folder, rule):
    run = world(folder, rule).run()
    setup = run.assembly.setup
    calls = _calls(type(setup)(**{**vars(setup), "options": run.assembly.options["ambulance_service"]}))
    alone = Result(Simulation(region_of(run.assembly.city, 2), calls, Rules(rule, log=False)).run(86_400)).figures
    found = run.kpis()
    assert found["ambulance_calls"] == alone["calls"] > 100
    assert found["ambulance_response_mean"] == alone["response_mean"]
    assert found["ambulance_utilisation"] == alone["utilisation"]
    assert run.check() == []


def test_pieces_branches_and_saving_change_nothing(folder, tmp_path):
    whole, parts = world(folder).run(), world(folder)
    for hour in (1, 2, 7, 13):
        parts.run(hour * HOUR + 17)
        parts = parts.branch()
    parts.run()
    for name in whole.state.layout.columns:
        if name.startswith("ambulance_"):
            assert np.array_equal(whole.state[name], parts.state[name]), name


def test_threads_give_the_bytes_of_one_run_after_the_other(folder):
    from concurrent.futures import ThreadPoolExecutor

    def figures(_):
        return world(folder).run().kpis()

    one = figures(0)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(figures, range(4))) == [one] * 4
