"""Manhattan's roads, stations and calls: tables, laws and the picture."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from twin.models.emergency.alone import Rules, Simulation, read_jemss, simulate

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def model():
    data = os.environ.get("TWIN_DATA")
    if not data:
        pytest.skip("TWIN_DATA is not set")
    return read_jemss(Path(data) / "manhattan_ems")


def test_the_folder_is_read_whole(model):
    region = model.region
    assert (len(region.network.x), len(region.network.from_node)) == (16_811, 24_437)
    assert (len(region.stations), len(region.hospitals), len(region.units)) == (8, 10, 12)
    assert model.gap == pytest.approx(3600 / 18.8)
    assert (model.answer, model.scene, model.transport, model.handover) == pytest.approx((150, 456, 0.85, 240))
    assert region.network.roads.time.shape[1] < 16_811 / 3


def test_ways_are_those_of_the_whole_graph(model):
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    network, n = model.region.network, 16_811
    roads = network.roads
    steps = np.flatnonzero(roads.chain_arc >= 0)
    weight = np.zeros(len(network.from_node))
    weight[roads.chain_arc[steps]] = roads.chain_time[0, steps] - roads.chain_time[0, steps - 1]
    graph = coo_matrix((weight, (network.from_node, network.to_node)), shape=(n, n)).tocsr()
    rng = np.random.default_rng(1)
    starts, ends = rng.integers(0, n, 5), rng.integers(0, n, 300)
    expected = dijkstra(graph, indices=starts)[:, ends] / 1e4
    found = [[network.seconds(int(a), int(b)) for b in ends] for a in starts]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_more_calls_begin_with_the_same_ones(model):
    few, many = model.draw(50, 3), model.draw(80, 3)
    assert few.equals(many.iloc[:50])


def test_relocation_by_coverage_lowers_the_late_share(model):
    calls = model.draw(20_000, 1)
    static, moved = (simulate(model.region, calls, Rules(move_up=rule)).figures for rule in ("home", "dmexclp"))
    assert moved["late_share"] < static["late_share"] - 0.01


def mean_response(model, calls, count, rng):
    """Return the mean response (s) of one quiet service with units at random places."""
    region = model.region
    node = rng.choice(model.draw(2_000, 9)["node"].to_numpy(), count, replace=False)
    spread = replace(region, stations=pd.DataFrame({"node": node, "walk": 0.0})).with_units(range(count))
    run = Simulation(spread, calls, Rules(log=False)).run()
    return (run.state.call[:, 4] - run.case.demand.call[:, 0]).mean() / 1e6


@pytest.mark.slow
def test_response_falls_with_the_root_of_the_number_of_units(model):
    """Kolesar and Blum (1973), with a constant for detours in one-way streets at the end of a way.

    The law by itself, on distances, is tested in `test_manhattan_distance`; this is the time the engine drives.
    """
    rng, counts = np.random.default_rng(4), np.array([4, 8, 16, 32, 64, 128])
    calls = model.draw(2_000, 2)
    quiet = calls.assign(arrive=np.arange(len(calls)) * 20_000.0, answer=0.0, mobilise=0.0, walk=0.0, priority=0)
    means = np.array([np.mean([mean_response(model, quiet, count, rng) for _ in range(5)]) for count in counts])
    slope, constant = np.polyfit(counts**-0.5, means, 1)
    assert 5 < constant < 40
    assert np.polyfit(np.log(counts), np.log(means - constant), 1)[0] == pytest.approx(-0.5, abs=0.05)
    assert np.abs(constant + slope * counts**-0.5 - means).max() < 12


def test_the_picture_has_a_curve_per_priority(model):
    import matplotlib as mpl

    mpl.use("Agg")
    drawn = simulate(model.region, model.draw(300, 1)).plot()
    assert [line.get_label() for line in drawn.get_lines()][::2] == ["highPriority", "lowPriority"]
