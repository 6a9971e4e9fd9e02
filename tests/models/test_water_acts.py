"""What people and failures do to pipes, pumps, valves and hydrants, alone and at once."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import ids, planned
from tests.models.water_city import small_city, water_tables, water_world
from twin.models.water.backend import Inputs
from twin.models.water.epanet import EpanetBackend
from twin.models.water.network import Network


def doubled(check_valve=True):
    """Return the line of junctions with a second pipe, 4, beside pipe 1, that may have a check valve."""
    pipes = {name: np.append(column, column[1]) for name, column in water_tables()["pipes"].items()}
    pipes |= {"id": ids("p", 5), "check_valve": np.array([False] * 4 + [check_valve])}
    return small_city(pipes=pipes, water_controls=None)


@pytest.mark.parametrize("event", [planned("isolate", 3600, [4]), planned("pipe_switch", 3600, [4], value=0)])
def test_a_pipe_with_a_check_valve_can_be_shut(event):
    world = water_world(doubled(), event).run("30 min")
    assert world.state["water_link.flow"][4] > 1e-3
    world.run("70 min")
    plain = water_world(doubled(check_valve=False), event).run("70 min")
    assert world.state["water_link.flow"][4] == 0
    assert world.state["water_link.flow"] == pytest.approx(plain.state["water_link.flow"], abs=1e-9)
    assert world.check() == []


def test_a_check_valve_works_again_when_its_pipe_is_reopened():
    events = (planned("isolate", 3600, [4]), planned("reopen", 7200, [4]))
    world = water_world(doubled(), *events).run("3 h")
    free = water_world(doubled()).run("3 h")
    assert world.state["water_link.flow"][4] == pytest.approx(free.state["water_link.flow"][4], rel=1e-3)


def valved(kind, state="active", curve=-1):
    """Return the line of junctions with a valve in place of pipe 1."""
    pipes = {name: np.delete(column, 1) for name, column in water_tables()["pipes"].items()}
    valve = {
        "id": ids("v", 1),
        "from_node": np.array([1]),
        "to_node": np.array([2]),
        "kind": np.array([kind]),
        "diameter": np.array([0.3]),
        "minor_loss": np.zeros(1),
        "setting": np.array([20.0]),
        "curve": np.array([curve]),
        "state": np.array([state]),
    }
    curves = {"id": ids("c", 2), "first": np.array([0, 1]), "count": np.array([1, 2])}
    points = {"x": np.array([0.02, 0.0, 0.05]), "y": np.array([50.0, 0.0, 5.0])}
    return small_city(pipes=pipes, valves=valve, water_curves=curves, water_curve_points=points, water_controls=None)


def test_a_general_purpose_valve_loses_head_by_its_curve():
    world = water_world(valved("GPV", curve=1)).run("1 h")
    head, flow = world.state["water_node.head"], world.state["water_link.flow"][4]
    assert head[1] - head[2] == pytest.approx(flow * 5.0 / 0.05, rel=1e-3)
    assert flow > 1e-3


def test_shutting_a_check_valve_leaves_no_trace_in_the_solver():
    network = Network(doubled())
    opened, shut = (
        Inputs(np.full(4, 0.002), np.zeros(4), np.zeros(1), np.ones(1), status, network.initial_setting)
        for status in (network.initial_status, np.where(np.arange(6) == 4, 0, network.initial_status).astype(np.int8))
    )
    used = EpanetBackend(network)
    first = used.solve(opened).head.tobytes()
    there = used.solve(shut).head.tobytes()
    assert used.solve(opened).head.tobytes() == first != there
    assert EpanetBackend(network).solve(shut).head.tobytes() == there
