"""Solves remember nothing, branches are exact, and no water is lost."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from tests.models.utility_city import order, planned
from tests.models.water_city import network_file, small_city, water_world
from twin.contract import HOUR, SECOND
from twin.models.water.backend import CLOSED, ROUGH, SOLVED, Inputs
from twin.models.water.engine import WaterEngine
from twin.models.water.epanet import EpanetBackend
from twin.models.water.inp import read_inp
from twin.models.water.network import Network
from twin.models.water.state import NEXT, WaterState
from twin.world import World

DAY = 24 * HOUR


def engine_of(name):
    city = read_inp(path_of(name))
    return WaterEngine(Network(city, {"accuracy": 1e-6}), city)


def inputs_of(network, number):
    """Return inputs drawn by number: demands, levels, and some links shut."""
    draw = np.random.Generator(np.random.Philox(number))
    base = np.bincount(network.demand_junction, network.demand_base, network.n_junction)
    low, high = network.column("tanks", "min_level"), network.column("tanks", "max_level")
    status = network.initial_status.copy()
    shut = draw.integers(network.n_link, size=3)
    status[shut[~network.check_valve[shut]]] = 0
    level = low + (high - low) * draw.uniform(0.2, 0.8, len(low))
    head = np.asarray(network.column("reservoirs", "head"), float)
    emitter = np.zeros(network.n_junction)
    emitter[draw.integers(network.n_junction)] = 1e-3 * (number % 2)
    return Inputs(base * draw.uniform(0.5, 1.5), emitter, head, level, status, network.initial_setting)


def outputs_of(backend, inputs):
    solution = backend.solve(inputs)
    arrays = (solution.head, solution.inflow, solution.delivered, solution.flow, solution.closed)
    return b"".join(a.tobytes() for a in arrays) + bytes([solution.code])


@pytest.mark.parametrize("name", ["Net1.inp", "Net3.inp", "ky4.inp"])
def test_a_solution_does_not_depend_on_what_was_solved_before(name):
    network = engine_of(name).network
    cases = [inputs_of(network, number) for number in range(12)]
    first = EpanetBackend(network)
    forward = [outputs_of(first, case) for case in cases]
    assert [outputs_of(first, case) for case in reversed(cases)] == forward[::-1]
    fresh = pickle.loads(pickle.dumps(first))
    assert outputs_of(fresh, cases[7]) == forward[7]
    assert len(set(forward)) == len(forward)


@pytest.mark.parametrize("name", ["Net1.inp", "Net3.inp", "ky4.inp", pytest.param("Net6.inp", marks=pytest.mark.slow)])
def test_a_network_shut_off_from_every_source_rests_and_is_solved(name):
    """EPANET measures its error by the sum of flows, which is noise here."""
    engine = engine_of(name)
    network, state = engine.network, WaterState.start_of(engine.network)
    shut = (network.from_node >= network.n_junction) | (network.to_node >= network.n_junction)
    state.status[shut], state.held[shut] = CLOSED, True
    assert engine.solve(state, 0).code in (SOLVED, ROUGH)
    assert np.abs(state.flow).max() < 1e-6
    assert (state.delivered == 0).all()


def path_of(name):
    """Return a network's file; those that come with neither wntr nor epyt lie in TWIN_DATA."""
    if name == "L-TOWN.inp":
        epyt = find_spec("epyt")
        if epyt is None or epyt.origin is None:
            pytest.skip("L-TOWN comes with epyt, which is not installed")
        return Path(epyt.origin).parent / "networks" / name
    if name == "ctown_map.inp":
        if "TWIN_DATA" not in os.environ:
            pytest.skip("TWIN_DATA is not set")
        return Path(os.environ["TWIN_DATA"]) / "ctown" / name
    if "/" in name:
        if "TWIN_DATA" not in os.environ:
            pytest.skip("TWIN_DATA is not set")
        return Path(os.environ["TWIN_DATA"]) / name
    return network_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "Net1.inp",
        "Net3.inp",
        pytest.param("ky4.inp", marks=pytest.mark.slow),
        pytest.param("Net6.inp", marks=pytest.mark.slow),
        pytest.param("ctown_map.inp", marks=[pytest.mark.slow, pytest.mark.data]),
        pytest.param("L-TOWN.inp", marks=pytest.mark.slow),
        pytest.param("shelby/water.inp", marks=[pytest.mark.slow, pytest.mark.data]),
        pytest.param("micropolis/water_med.inp", marks=[pytest.mark.slow, pytest.mark.data]),
    ],
)
def test_branches_at_twenty_instants_end_bitwise_equal(name):
    engine = engine_of(name)
    parent = WaterState.start_of(engine.network)
    whole = parent.copy()
    engine.run(whole, DAY)
    for at in np.sort(np.random.Generator(np.random.Philox(5)).integers(1, 24 * 3600, 20)).tolist():
        engine.run(parent, at * SECOND)
        child = parent.copy()
        engine.run(child, DAY)
        assert child.bytes() == whole.bytes()


def test_a_world_steps_a_network_like_the_engine_alone():
    engine = engine_of("Net3.inp")
    alone = WaterState.start_of(engine.network)
    engine.run(alone, DAY)
    world = water_world(read_inp(network_file("Net3.inp")), options={"pressure_driven": False}).run(DAY)
    assert world.state["tank.volume"].tobytes() == alone.volume.tobytes()
    assert world.state["water_link.flow"].tobytes() == alone.flow.tobytes()


def test_a_world_saved_and_loaded_at_twenty_instants_ends_bitwise_equal(tmp_path):
    events = (planned("hydrant_draw", 3600, [1], flow=0.02, duration=1800.0), planned("pump_failure", 7200, [0]))
    whole = water_world(small_city(), *events).run(DAY)
    world = water_world(small_city(), *events)
    for i, at in enumerate(np.sort(np.random.Generator(np.random.Philox(6)).integers(1, DAY, 20)).tolist()):
        world.run(at)
        world = world.branch() if i % 2 else World.load(world.save(tmp_path / str(i)), world.assembly)
    assert world.run(DAY).digest() == whole.digest()


def at_once(*works):
    """Run functions in threads that start together; return what they return."""
    gate = Barrier(len(works))

    def begin(work):
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [task.result() for task in [pool.submit(begin, work) for work in works]]


def day_of(world):
    """Return work that runs a world for a day and tells its digest."""
    return lambda: world.run(DAY).digest()


def test_two_worlds_in_two_threads_end_as_one_after_the_other():
    """Each has its own network and events."""

    def worlds():
        fire = (planned("hydrant_draw", 3600, [1], flow=0.02, duration=1800.0), planned("pump_failure", 7200, [0]))
        outage = planned("pump_failure", 6 * 3600, [0, 1], duration=7200.0)
        return water_world(small_city(), *fire), water_world(read_inp(network_file("Net3.inp")), outage)

    alone = [day_of(world)() for world in worlds()]
    assert at_once(*map(day_of, worlds())) == alone
    assert alone[0] != alone[1]


def test_branches_that_share_a_solver_end_in_threads_as_one_after_the_other():
    """Pump 1 fails at another hour in each branch; both ask the solver of one model."""
    parent = water_world(read_inp(network_file("Net3.inp"))).run(HOUR)

    def futures():
        branches = parent.branch(), parent.branch()
        for hour, branch in zip((2, 5), branches, strict=True):
            order(branch, "pump_failure", hour * 3600, 1)
        return branches

    alone = [day_of(world)() for world in futures()]
    assert at_once(*map(day_of, futures())) == alone
    assert alone[0] != alone[1]


def test_threads_that_solve_with_one_backend_get_what_one_thread_gets():
    network = engine_of("Net3.inp").network
    backend = EpanetBackend(network)
    cases = [[inputs_of(network, 40 * k + i) for i in range(40)] for k in range(2)]
    alone = [[outputs_of(backend, case) for case in half] for half in cases]
    works = [lambda half=half: [outputs_of(backend, case) for case in half] for half in cases]
    assert at_once(*works) == alone


@pytest.mark.parametrize("name", ["Net1.inp", "Net3.inp", pytest.param("Net6.inp", marks=pytest.mark.slow)])
def test_tanks_hold_what_ran_into_them(name):
    engine = engine_of(name)
    state = WaterState.start_of(engine.network)
    first, ran_in = engine.network.first_tank, np.zeros(engine.network.rows("tanks"))
    begin = state.volume.copy()
    engine.solve(state, 0)
    before = 0
    while state.clock[NEXT] < DAY:
        now = int(state.clock[NEXT])
        ran_in += state.inflow[first:] * ((now - before) / SECOND)
        engine.tick(state, now)
        before = now
    assert np.abs(state.volume - begin - ran_in - state.corrected).max() <= 1e-9 * state.volume.max()
    assert np.abs(ran_in).max() > 10


def test_water_is_kept_at_every_junction():
    engine = engine_of("Net3.inp")
    network, state = engine.network, WaterState.start_of(engine.network)
    engine.solve(state, 0)
    net = -state.inflow.copy()
    np.add.at(net, network.from_node, -np.where(state.closed, 0, state.flow))
    np.add.at(net, network.to_node, np.where(state.closed, 0, state.flow))
    assert np.abs(net).max() <= 1e-6 * np.abs(state.flow).max()
