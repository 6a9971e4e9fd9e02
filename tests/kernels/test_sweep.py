"""Sweeps of radial feeders: closed forms, balance, batches and collapse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.sweep import PLAIN, WITH_CURRENTS, WITH_SHUNTS, edge_currents, products_down, sweep


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
    tail = (scale, kind, 1e-12, limit, np.array([held]), voltage, squared, flow, steps)
    sweep(np.asarray(parent, np.int64), 1, *column, bus, *powers, *shares, *tail)
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
    factor, product = np.array([1.0, 1.0, 0.95, 1.0]), np.zeros(4)
    products_down(parent, 1, factor, product)
    assert product.tolist() == [1.0, 1.0, 0.95, 0.95]
    voltage = run(parent, np.zeros(4, complex), [0.1, 0.1, 0.1], scale=product)[0]
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
    current = np.full((2, 2), -1.0)
    tree = (np.array([-1, 0]), np.array([-1, 1]), np.array([True, forward]))
    pi = (np.array([0.0, z.real]), np.array([0.0, z.imag]), np.ones(2), np.array([9j, y]), np.array([1.0, ratio]))
    edge_currents(*tree, *pi, squared, flow, current)
    ends = [abs(series + near * top), abs(series - far * v)]
    assert current[1] == pytest.approx(ends if forward else ends[::-1], abs=1e-12)
    assert (current[0] == -1).all()
