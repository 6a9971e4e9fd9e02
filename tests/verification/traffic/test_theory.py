"""The traffic kernel against kinematic wave theory, in closed form.

Unless said: u = 20 m/s, k_j = 0.2 veh/m, reaction time 1 s per lane, hence
w = 5 m/s and q* = u w k_j / (u + w) = 0.8 veh/s (Newell 1993, 2002).
"""

from typing import Any

import numpy as np
import pytest

from tests.verification.traffic.corridor import END, Run, Streets, every
from twin.kernels.philox import fill_uniform
from twin.kernels.traffic import touch
from twin.kernels.traffic_arrays import FIXED
from twin.kernels.traffic_layout import Signals
from twin.kernels.traffic_probe import block_chain, gridlocks, occupancy


def _delays(streets: Streets, run: Run, free: float) -> Any:
    return run.arrival() - np.array(streets.departs) - free


def test_free_flow_has_no_delay() -> None:
    streets = Streets()
    streets.drive(every(0.5, 500), streets.link(0, 1))
    run = Run(streets.build()).until(END)
    assert (run.arrival() - streets.departs).sum() == pytest.approx(12_500, abs=1e-9)


@pytest.mark.parametrize("speed", [3, 5, 10, 12, 15, 18, 20])
def test_a_saturated_link_carries_its_capacity(speed: float) -> None:
    streets = Streets()
    link = streets.link(0, 1, speed=speed)
    streets.drive(every(2.0, 1500), link)
    run = Run(streets.build()).until(END)
    left = run.times(link)
    flow = (len(left) - 1) / (left[-1] - left[0])
    assert flow == pytest.approx(speed * 5 * 0.2 / (speed + 5), rel=1e-3)


def test_a_slower_link_adds_its_own_time_only() -> None:
    streets = Streets()
    streets.drive(every(0.5, 500), streets.link(0, 1), streets.link(1, 2, speed=10))
    run = Run(streets.build()).until(END)
    assert (run.arrival() - streets.departs).sum() == pytest.approx(37_500, abs=1e-9)


@pytest.mark.parametrize("length", [100, 1000, 10_000])
def test_bottleneck_delay_does_not_depend_on_the_storage(length: float) -> None:
    streets = Streets()
    before, neck = streets.link(0, 1, length), streets.link(1, 2, 100, capacity=0.3)
    streets.drive(every(0.6, 1000), before, neck)
    delay = _delays(streets, Run(streets.build()).until(END), length / 20 + 5)
    assert delay.sum() == pytest.approx(299_500, rel=1e-3)
    assert delay[-1] == pytest.approx(998.33, rel=1e-3)


def test_the_queue_of_a_bottleneck_fills_the_link_before_it() -> None:
    streets = Streets()
    before, neck = streets.link(0, 1), streets.link(1, 2, 100, capacity=0.3)
    vehicles = streets.drive(every(0.6, 1000), before, neck)
    run = Run(streets.build()).until(700)
    assert occupancy(run.traffic.state)[before] == pytest.approx(140, abs=1)
    run.until(END)
    held = run.times(before, "entered") - np.array(streets.departs)[vehicles]
    blocked = np.array(streets.departs)[np.argmax(held > 0.01)]
    assert blocked == pytest.approx(416.7, abs=2)
    assert -1000 / (blocked - 50) == pytest.approx(-2.727, rel=0.01)


def test_an_overloaded_link_keeps_the_rest_waiting() -> None:
    streets = Streets()
    streets.drive(every(2.0, 500), streets.link(0, 1))
    state = Run(streets.build()).until(500).traffic.state
    assert state.tally[[2, 1, 0]] == pytest.approx([360, 40, 600], abs=1)


def test_fixed_signal_gives_the_uniform_delay() -> None:
    streets = Streets()
    # just not in step with the cycle, so that arrivals fall on all its parts
    streets.drive(every(0.1999, 30_000), streets.link(0, 1), streets.link(1, 2))
    signals = Signals(control=[0, FIXED, 0], cycle=60.0, start=0.0, length=30.0)
    run = Run(streets.build(signals)).until(END)
    assert _delays(streets, run, 100).mean() == pytest.approx(10.0, rel=0.05)


@pytest.mark.jit
def test_a_queue_with_random_arrivals_waits_as_m_d_1() -> None:
    n_vehicle, n_batch = 200_000, 40
    luck = np.empty(n_vehicle)
    fill_uniform(1, 1, np.arange(n_vehicle), 0, luck)
    streets = Streets()
    streets.drive(np.cumsum(-np.log(luck) / 0.4), streets.link(0, 1, capacity=0.5))
    run = Run(streets.build()).until(1e6)
    batches = _delays(streets, run, 50).reshape(n_batch, -1).mean(axis=1)
    half_width = 2.023 * batches.std(ddof=1) / np.sqrt(n_batch)
    assert batches.mean() == pytest.approx(4.0, abs=half_width)
    assert half_width < 0.4


def test_an_incident_queues_and_clears_as_the_cumulative_curves_say() -> None:
    streets = Streets()
    before, after = streets.link(0, 1, 10_000), streets.link(1, 2, 100)
    streets.drive(every(0.6, 4000), before, after)
    run = Run(streets.build()).until(1500)
    headway = run.traffic.settings.headway
    headway[after] = 5_000_000
    touch(*run.traffic)
    run.until(2100)
    headway[after] = 1_250_000
    touch(*run.traffic)
    run.until(END)
    delay = _delays(streets, run, 505)
    at_end = np.array(streets.departs) + 500
    left = run.times(before)
    queue_peak = (at_end <= 2100).sum() - (left <= 2100).sum()
    assert queue_peak == pytest.approx(240, rel=0.01)
    assert left[np.flatnonzero(delay > 0.01)[-1]] == pytest.approx(2100 + 1200, rel=0.01)
    assert delay.sum() == pytest.approx(216_000, rel=0.01)


def test_a_saturated_merge_shares_by_lanes() -> None:
    streets = Streets()
    minor, major = streets.link(0, 2, lanes=1), streets.link(1, 2, lanes=2)
    after = streets.link(2, 3)
    streets.drive(every(0.8, 3000), minor, after)
    streets.drive(every(1.6, 3000), major, after)
    run = Run(streets.build()).until(3000)
    assert run.flow(minor, 500, 3000) == pytest.approx(0.2667, rel=0.02)
    assert run.flow(major, 500, 3000) == pytest.approx(0.5333, rel=0.02)


def test_a_major_road_takes_what_it_needs_and_leaves_the_rest() -> None:
    streets = Streets()
    minor, major = streets.link(0, 2, rank=1), streets.link(1, 2)
    after = streets.link(2, 3)
    streets.drive(every(0.8, 3000), minor, after)
    vehicles = streets.drive(every(0.6, 3000), major, after)
    run = Run(streets.build()).until(3000)
    assert run.flow(major, 500, 3000) == pytest.approx(0.6, rel=0.02)
    assert run.flow(minor, 500, 3000) == pytest.approx(0.2, rel=0.02)
    # nobody on the major road waits longer than one headway of the exit
    delay = run.until(END).arrival()[vehicles] - np.array(streets.departs)[vehicles] - 100
    assert delay.max() <= 1.25


@pytest.mark.parametrize("minor_flow", [0.1, 0.2])
def test_a_merge_leaves_unused_shares_to_the_other(minor_flow: float) -> None:
    streets = Streets()
    minor, major = streets.link(0, 2, lanes=1), streets.link(1, 2, lanes=2)
    after = streets.link(2, 3)
    streets.drive(every(minor_flow, 3000), minor, after)
    streets.drive(every(1.6, 3000), major, after)
    run = Run(streets.build()).until(3000)
    assert run.flow(minor, 500, 3000) == pytest.approx(minor_flow, rel=0.02)
    assert run.flow(major, 500, 3000) == pytest.approx(0.8 - minor_flow, rel=0.02)


def test_a_blocked_exit_blocks_the_other_in_turn() -> None:
    streets = Streets()
    before = streets.link(0, 1)
    free, capped = streets.link(1, 2), streets.link(1, 3, capacity=0.2)
    streets.drive(every(0.4, 4000), before, free)
    streets.drive(every(0.4, 4000, start=1.25), before, capped)
    run = Run(streets.build()).until(3000)
    for link in (free, capped):
        entered = run.times(link, "entered")
        assert ((entered > 1000) & (entered < 2900)).sum() / 1900 == pytest.approx(0.2, rel=0.02)


def test_two_lanes_into_one_drive_at_the_congested_speed() -> None:
    streets = Streets()
    before, after = streets.link(0, 1, lanes=2), streets.link(1, 2)
    streets.drive(every(1.6, 3000), before, after)
    run = Run(streets.build()).until(3000)
    assert run.flow(before, 1000, 3000) == pytest.approx(0.8, rel=0.01)
    assert occupancy(run.traffic.state)[before] / 1000 == pytest.approx(0.24, rel=0.01)
    entered, left = run.times(before, "entered"), run.times(before)
    late = entered > 1500
    assert (1000 / (left - entered)[late]).mean() == pytest.approx(3.333, rel=0.01)


def test_a_full_ring_is_named_and_ends() -> None:
    streets = Streets()
    ring = [streets.link(node, (node + 1) % 4, 100) for node in range(4)]
    aside = streets.link(4, 0, 100)
    for turn in range(4):
        streets.drive(np.full(20, 0.0), *(2 * (ring[turn:] + ring[:turn])))
    streets.drive([200.0], aside, ring[0])
    run = Run(streets.build()).until(END)
    assert gridlocks(run.traffic.network, run.traffic.settings, run.traffic.state) == [ring]
    assert block_chain(run.traffic.network, run.traffic.state, aside) == [aside, *ring, ring[0]]
    assert run.traffic.state.tally[1] == occupancy(run.traffic.state).sum() > 0


@pytest.mark.parametrize("n_piece", [2, 7, 50])
def test_splitting_a_link_changes_no_arrival_by_more_than_a_headway(n_piece: int) -> None:
    arrivals = []
    for pieces in (1, n_piece):
        streets = Streets()
        row = [streets.link(i, i + 1, 1000 / pieces) for i in range(pieces)]
        row.append(streets.link(pieces, pieces + 1, 100, capacity=0.3))
        streets.drive(every(0.6, 1000), *row)
        arrivals.append(Run(streets.build()).until(END).arrival())
    assert np.abs(arrivals[0] - arrivals[1]).max() <= 1 / 0.3


def test_five_metre_links_keep_order_and_mass() -> None:
    streets = Streets()
    row = [streets.link(i, i + 1, 5) for i in range(40)]
    row.append(streets.link(40, 41, 5, capacity=0.3))
    streets.drive(every(1.0, 300), *row)
    run = Run(streets.build()).until(END)
    assert run.traffic.state.tally.tolist() == [0, 0, 300, 0, 0]
    assert (np.diff(run.arrival()) > 0).all()
    for link in row:
        assert (run.times(link) - run.times(link, "entered") >= 0.25 - 1e-9).all()
