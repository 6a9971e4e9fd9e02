"""Rings that are equal to a radial grid: what the sweep finds for the one has to be found for the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twin.models.power.general import GeneralSolver
from twin.models.power.held import idle_voltages, solve_held
from twin.models.power.network import Network
from twin.models.power.solver import FlowSolver

_BEYOND = np.array([np.inf])


def grid(seed):
    """Return a random tree of up to 12 buses with taps and some edges without impedance, and its loads (W, var)."""
    rng = np.random.Generator(np.random.Philox(seed))
    buses = int(rng.integers(3, 13))
    edges = buses - 1
    ends = np.stack([[int(rng.integers(0, i)) for i in range(1, buses)], np.arange(1, buses)])
    impedance = rng.uniform(1e-4, 2e-2, edges) * (1 + 1j * rng.uniform(0.3, 4.0, edges))
    impedance[rng.random(edges) < 0.1] = 0.0
    none = np.zeros(0)
    network = Network(
        rated=np.full(buses, 20e3),
        from_bus=ends[0],
        to_bus=ends[1],
        impedance=impedance,
        shunt=1j * rng.uniform(0, 1e-2, edges),
        ratio=np.where(rng.random(edges) < 0.3, rng.uniform(0.9, 1.1, edges), 1.0),
        rating=np.full((edges, 2), np.inf),
        bus_shunt=np.zeros(buses, complex),
        current_share=np.where(rng.random(buses) < 0.3, 0.3, 0.0),
        impedance_share=np.where(rng.random(buses) < 0.3, 0.4, 0.0),
        source_bus=np.zeros(1, np.int64),
        source_voltage=np.array([1.02]),
        source_impedance=np.array([1e-4 + 1e-3j]),
        held_bus=np.zeros(0, np.int64),
        held_voltage=none,
        held_low=none,
        held_high=none,
    )
    scale = 1e6 * rng.choice([1.0, 3.0, 10.0])
    return network, scale * rng.normal(0.5, 1.0, buses), scale * rng.normal(0.2, 0.4, buses)


def doubled(network):
    """Return a grid of rings that is equal to a tree: two edges of twice the impedance in place of each."""
    twice = {name: np.tile(getattr(network, name), 2) for name in ("from_bus", "to_bus", "ratio")}
    twice |= {"impedance": np.tile(2 * network.impedance, 2), "shunt": np.tile(network.shunt / 2, 2)}
    return replace(network, **twice, rating=np.full((2 * network.edges, 2), np.inf))


def solved(network, active, reactive):
    return FlowSolver(network).solve(np.ones(network.buses, bool), np.ones(network.edges, bool), active, reactive)


def first_tries(network, active, reactive):
    """Return what power-grid-model finds, or Newton's method from 1 pu."""
    everything = (np.ones(network.buses, bool), np.ones(network.edges, bool), active, reactive)
    return GeneralSolver(network).solve(*everything) or solve_held(network, *everything)


@pytest.mark.parametrize("seed", [0, 1, 2, 12, 46, 69, 138, 207, 278, 2364])
def test_rings_are_solved_where_equal_trees_are(seed):
    network, *loads = grid(seed)
    swept = solved(network, *loads)
    assert swept.method == "sweep"
    ring = solved(doubled(network), *loads)
    assert ring.method == "newton"
    assert ring.voltage == pytest.approx(swept.voltage, abs=1e-6)


def test_some_of_them_are_beyond_newton_from_1_pu():
    assert [first_tries(doubled(grid(seed)[0]), *grid(seed)[1:]) for seed in (12, 46, 69)] == [None] * 3


def test_newton_from_1_pu_may_end_in_a_voltage_that_no_grid_works_at():
    network, *loads = grid(2364)
    assert first_tries(doubled(network), *loads)[0].min() < 0.05
    assert solved(doubled(network), *loads).voltage.min() > 0.7


def test_voltages_without_load_follow_the_taps_either_way_round():
    network, *_ = grid(12)
    everything = (np.ones(network.buses, bool), np.ones(network.edges, bool))
    idle = replace(network, shunt=0 * network.shunt)
    swept = FlowSolver(idle).solve(*everything, *np.zeros((2, network.buses))).voltage
    turned = replace(idle, from_bus=idle.to_bus, to_bus=idle.from_bus, ratio=1 / idle.ratio)
    for one in (idle, turned):
        found = idle_voltages(one, *FlowSolver(one)._spread(*everything)[1])
        assert found == pytest.approx(swept, abs=1e-12)
    assert np.ptp(swept) > 0.05


@pytest.mark.parametrize("seed", [12, 46, 207])
def test_a_machine_that_holds_the_voltage_the_grid_has_changes_nothing(seed):
    network, *loads = grid(seed)
    swept = solved(network, *loads).voltage
    held = replace(network, held_bus=np.array([1]), held_voltage=swept[1:2], held_low=-_BEYOND, held_high=_BEYOND)
    found = solved(held, *loads)
    assert found.method == "newton"
    assert found.voltage == pytest.approx(swept, abs=1e-6)
