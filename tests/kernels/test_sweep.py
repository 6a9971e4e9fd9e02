"""Sweeps of radial feeders: closed forms, balance, batches and collapse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.feeder import NO_TREE, PLAIN, WITH_CURRENTS, WITH_SHUNTS, Feeder, Parts, plant
from twin.kernels.islands import build_adjacency, spread
from twin.kernels.sweep import Edges, edge_currents, first_wild, solve_feeder, sweep


def run(parent, z, load, kind=PLAIN, shunt=0j, steady=0.0, resistive=0.0, held=1.0, scale=None, limit=100):
    """Solve feeders of one source; node i > 0 is bus i - 1. Return voltages, squares, flows, iterations."""
    nodes, load = len(parent), np.atleast_2d(load)
    column = [
        np.broadcast_to(np.asarray(v, float), nodes).copy() for v in (z.real, z.imag, np.real(shunt), np.imag(shunt))
    ]
    shares = [np.full(nodes, share) for share in (steady, resistive)]
    voltage, squared, flow = np.zeros((len(load), nodes - 1)), np.zeros(nodes), np.zeros((3, nodes))
    steps = np.zeros(len(load), np.int64)
    scale = np.ones(nodes) if scale is None else scale
    bus = np.maximum(np.arange(nodes) - 1, 0)
    powers = (np.ascontiguousarray(load.real), np.ascontiguousarray(load.imag))
    feeder = Feeder(np.asarray(parent, np.int64), bus, *column, *shares, scale, np.array([held]), kind)
    sweep(feeder, *powers, 1.0, 1e-12, limit, voltage, squared, flow, steps)
    return voltage, squared, flow, steps


def test_two_buses_solve_the_quadratic_by_hand():
    """U^4 + U^2 (2 (rP + xQ) - 1) + |z|^2 |S|^2 = 0 with r = x = 0.1, P = 0.5, Q = 0.25."""
    voltage, _, flow, _ = run([-1, 0], np.full(2, 0.1 + 0.1j), [0.5 + 0.25j])
    b, c = 2 * 0.1 * 0.75 - 1, 0.02 * (0.25 + 0.0625)
    square = (-b + np.sqrt(b * b - 4 * c)) / 2
    assert voltage[0, 0] == pytest.approx(np.sqrt(square), abs=1e-12)
    assert flow[2, 1] == pytest.approx(0.3125 / square, abs=1e-11)


def test_a_load_beyond_what_the_line_can_carry_has_no_solution():
    """The most a line of r = x = 0.1 carries at unity ratio r/x with Q = 0 is 1 / (2 (|z| + r)) = 2.07."""
    most = 1 / (2 * (np.hypot(0.1, 0.1) + 0.1))
    assert run([-1, 0], np.full(2, 0.1 + 0.1j), [0.99 * most])[3][0] > 0
    assert run([-1, 0], np.full(2, 0.1 + 0.1j), [1.01 * most])[3][0] == -1


def test_inputs_that_are_no_numbers_have_no_solution():
    assert run([-1, 0], np.full(2, 0.1 + 0.1j), [np.nan])[3][0] == -1


@pytest.mark.parametrize(("kind", "steady", "resistive"), [(WITH_SHUNTS, 0.0, 1.0), (WITH_CURRENTS, 0.4, 0.3)])
def test_loads_that_depend_on_voltage_agree_with_complex_currents(kind, steady, resistive):
    parent = np.array([-1, 0, 1, 1, 3])
    z, load, shunt = np.full(5, 0.02 + 0.03j), np.array([0.4, 0.3 + 0.2j, 0.5 + 0.1j, 0.2j]), 0.01 - 0.02j
    v = np.ones(5, complex)
    for _ in range(300):
        size = np.abs(v[1:])
        drawn = load * (1 - steady - resistive + steady * size + resistive * size**2)
        current = np.append(0, np.conj(drawn / v[1:]) + shunt * v[1:])
        for i in (4, 3, 2):
            current[parent[i]] += current[i]
        for i in range(1, 5):
            v[i] = v[parent[i]] - z[i] * current[i]
    found = run(parent, z, load, kind, shunt, steady, resistive)
    assert found[0][0] == pytest.approx(np.abs(v[1:]), abs=1e-11)


def test_a_batch_gives_the_bits_of_its_profiles():
    draw = np.random.Generator(np.random.Philox(3))
    parent = np.array([-1, 0, 1, 1, 2, 2, 3])
    z, loads = np.full(7, 0.01 + 0.02j), draw.random((4, 6)) * (0.3 + 0.1j)
    batch = run(parent, z, loads)[0]
    for k in range(4):
        assert batch[k].tobytes() == run(parent, z, loads[k])[0][0].tobytes()


@examples(40)
@given(st.integers(1, 30), st.integers(0, 2**32), st.floats(0.9, 1.1))
def test_what_the_source_sends_is_load_and_loss(buses, seed, held):
    draw = np.random.Generator(np.random.Philox(seed))
    parent = np.concatenate([[-1], [draw.integers(0, i) for i in range(1, buses + 1)]]).astype(int)
    z = draw.random(buses + 1) * 0.02 / buses + 1j * draw.random(buses + 1) * 0.02 / buses
    load = draw.random(buses) + 1j * draw.normal(size=buses)
    voltage, squared, flow, steps = run(parent, z, load, held=held)
    assert steps[0] > 0
    loss = (z * flow[2]).sum()
    assert complex(flow[0, 0], flow[1, 0]) == pytest.approx(load.sum() + loss, abs=1e-9)
    assert voltage[0] ** 2 == pytest.approx(squared[1:], abs=1e-12)
    for i in range(1, buses + 1):
        sent = z[i] * flow[2, i] + complex(*flow[:2, i])
        assert abs(sent) ** 2 == pytest.approx(flow[2, i] * squared[parent[i]], rel=1e-6, abs=1e-9)


def test_a_ratio_scales_voltages_below_it():
    parent = np.array([-1, 0, 1, 2])
    voltage = run(parent, np.zeros(4, complex), [0.1, 0.1, 0.1], scale=np.array([1.0, 1.0, 0.95, 0.95]))[0]
    assert voltage[0].tolist() == [1.0, 0.95, 0.95]


@pytest.mark.parametrize("forward", [True, False])
def test_currents_at_both_ends_are_those_of_the_pi(forward):
    """Two buses and a line z with shunt y: the loss and both halves of y decide what flows at the ends."""
    z, y, load, ratio = 0.1 + 0.1j, 0.02 - 0.06j, 0.5 + 0.25j, 1.05
    near, far = (y / 2 / ratio**2, y / 2) if forward else (y / 2, y / 2 / ratio**2)
    v = 0.9
    series = np.conj(load / v)
    top = v + z * series
    squared, flow = np.array([abs(top) ** 2, v**2]), np.zeros((3, 2))
    flow[:, 1] = load.real, load.imag, abs(series) ** 2
    current, loading = np.full((2, 2), -1.0), np.full(2, -1.0)
    feeder = feeder_of([-1, 0], np.array([0, z]))
    rating = np.array([[1.0, 1.0], [2.0, 4.0]])
    edges = Edges(np.array([-1, 1]), np.array([True, forward]), np.array([9j, y]), np.array([1.0, ratio]), rating)
    edge_currents(feeder, edges, squared, flow, current, loading)
    ends = [abs(series + near * top), abs(series - far * v)]
    assert current[1] == pytest.approx(ends if forward else ends[::-1], abs=1e-12)
    assert (current[0] == -1).all()
    assert loading.tolist() == [-1.0, max(current[1, 0] / 2, current[1, 1] / 4)]


def feeder_of(parent, z):
    """A plain feeder of one source with bus i at node i."""
    nodes = len(parent)
    zero, one = np.zeros(nodes), np.ones(nodes)
    z = np.asarray(z, complex)
    real, imaginary = np.ascontiguousarray(z.real), np.ascontiguousarray(z.imag)
    bus = np.arange(nodes)
    return Feeder(np.asarray(parent), bus, real, imaginary, zero, zero, zero, zero, one, np.ones(1), PLAIN)


@pytest.mark.parametrize(("load", "solved"), [(0.5, True), (3.0, False)])
def test_one_flow_and_its_currents_are_those_of_a_batch_of_one(load, solved):
    feeder = feeder_of([-1, 0, 1], np.full(3, 0.1 + 0.1j))
    edges = Edges(np.array([-1, -1, 0]), np.ones(3, bool), np.zeros(1, complex), np.ones(1), np.full((1, 2), 2.0))
    active, reactive = np.array([[0.0, 0.0, load]]), np.zeros((1, 3))
    parts = [(np.zeros((1, 3)), np.zeros(3), np.zeros((3, 3))) for _ in range(2)]
    current, loading, steps = np.zeros((1, 2)), np.zeros(1), np.zeros(1, np.int64)
    asked = (active, reactive, 1.0, 1e-12, 100)
    found = solve_feeder(feeder, edges, *asked, *parts[0], current, loading)
    sweep(feeder, *asked, *parts[1], steps)
    assert (found == steps[0], found > 0) == (True, solved)
    assert parts[0][0].tobytes() == parts[1][0].tobytes()
    size = np.sqrt(parts[1][2][2, 2])
    assert current[0].tolist() == (pytest.approx([size, size], abs=1e-10) if solved else [0.0, 0.0])
    assert loading[0] == current[0].max() / 2


def test_the_first_load_that_is_no_finite_number_is_found():
    good = np.array([1.0, -2.0, 0.0])
    assert first_wild(good, good) == -1
    assert first_wild(np.array([1.0, np.inf, 0.0]), good) == 1
    assert first_wild(good, np.array([1.0, 0.0, np.nan])) == 2


def planted(ends, sources, carries=None, shares=(0.0, 0.0), bus_shunt=0j):
    """Plant 4 buses with edges of z = 0.1 + 0.2j, shunt 0.04j and ratio 0.8; return kind, feeder, edge, forward."""
    start, end = (np.array(side) for side in zip(*ends, strict=True))
    works = np.ones(len(ends), bool) if carries is None else np.array(carries)
    first, neighbour, edge = np.zeros(5, np.int64), np.zeros(2 * len(ends), np.int64), np.zeros(2 * len(ends), np.int64)
    build_adjacency(start, end, first, neighbour, edge)
    fed = np.zeros(4, bool)
    parent, parent_edge, order = (np.zeros(4, np.int64) for _ in range(3))
    roots = np.unique(sources)
    count = spread(first, neighbour, edge, np.ones(4, bool), works, roots, fed, parent, parent_edge, order)
    z, y, ratio = np.full(len(ends), 0.1 + 0.2j), np.full(len(ends), 0.04j), np.full(len(ends), 0.8)
    column = [np.full(4, share) for share in shares]
    inner = np.full(len(sources), 0.01j)
    parts = Parts(start, end, z, y, ratio, np.full(4, bus_shunt), *column, np.array(sources), inner)
    nodes = len(sources) + count
    whole = [np.full(nodes, 9) for _ in range(2)]
    feeder = Feeder(*whole, *(np.full(nodes, 9.0) for _ in range(7)), np.ones(len(sources)), PLAIN)
    branch, forward = np.full(nodes, 9), np.zeros(nodes, bool)
    search = (order[:count], parent, parent_edge)
    kind = plant(parts, *search, works & fed[start] & fed[end], np.arange(len(sources)), feeder, branch, forward)
    return kind, feeder, branch, forward


def test_a_tree_is_written_on_the_scale_of_its_nodes():
    """Source at bus 1; edge 0 from 1 to 0, edge 1 from 2 to 1 and so backwards, edge 2 from 2 to 3."""
    kind, feeder, edge, forward = planted([(1, 0), (2, 1), (2, 3)], [1])
    assert kind == WITH_SHUNTS
    assert (feeder.parent.tolist(), feeder.bus.tolist()) == ([-1, 0, 1, 1, 3], [0, 1, 0, 2, 3])
    assert (edge.tolist(), forward.tolist()) == ([-1, -1, 0, 1, 2], [True, True, True, False, True])
    assert feeder.scale == pytest.approx([1, 1, 1.25, 0.8, 1.0])
    assert feeder.resistance == pytest.approx([0, 0, 0.1 / 1.25**2, 0.1, 0.1])
    assert feeder.reactance == pytest.approx([0, 0.01, 0.2 / 1.25**2, 0.2, 0.2])
    near, far = 0.02 / 0.8**2, 0.02
    assert feeder.susceptance == pytest.approx([0, near + far, far * 1.25**2, 2 * near * 0.8**2, far])
    assert feeder.conductance.tolist() == [0.0] * 5


@pytest.mark.parametrize(
    ("shares", "kind"), [((0.3, 0.0), WITH_CURRENTS), ((0.3, 0.2), WITH_CURRENTS), ((0.0, 0.2), WITH_SHUNTS)]
)
def test_the_kind_of_a_feeder_follows_its_loads(shares, kind):
    found = planted([(0, 1), (1, 2), (2, 3)], [0], shares=shares)
    assert (found[0], found[1].current_share.tolist()) == (kind, [0.0, *[shares[0]] * 4])
    assert found[1].impedance_share.tolist() == [0.0, *[shares[1]] * 4]


@pytest.mark.parametrize(
    ("ends", "sources", "carries", "tree"),
    [
        ([(0, 1), (1, 2), (2, 0), (2, 3)], [0], None, False),
        ([(0, 1), (1, 2), (2, 0), (2, 3)], [0], [True, True, False, True], True),
        ([(0, 1), (1, 2), (2, 3)], [0, 3], None, False),
        ([(0, 1), (1, 2), (2, 3)], [0, 3], [True, False, True], True),
        ([(0, 1), (1, 2), (2, 3)], [0, 0], None, False),
    ],
)
def test_rings_and_two_sources_of_one_part_are_no_tree(ends, sources, carries, tree):
    assert (planted(ends, sources, carries)[0] != NO_TREE) == tree
