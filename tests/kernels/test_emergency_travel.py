"""Ways on the contracted graph against shortest paths on the whole graph."""

import numpy as np
import pytest

from tests.kernels.emergency_cases import grid_arcs
from twin.models.emergency.contraction import contract
from twin.models.emergency.network import build_network


def whole(n_node, arcs, ticks):
    """Return all shortest times in ticks, by relaxing every arc until nothing changes."""
    time = np.full((n_node, n_node), np.inf)
    np.fill_diagonal(time, 0)
    changed = True
    while changed:
        before = time.copy()
        for (tail, head), weight in zip(arcs, ticks, strict=True):
            time[:, head] = np.minimum(time[:, head], time[:, tail] + weight)
        changed = not np.array_equal(before, time)
    return time


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("seed", range(4))
def test_random_graphs_with_loops_rings_and_parallel_arcs(seed):
    rng = np.random.default_rng(seed)
    n = 14
    arcs = [tuple(rng.integers(0, n, 2)) for _ in range(14)]
    arcs += [(14, 15), (15, 16), (16, 14), (17, 18), (18, 17), (3, 3), (4, 5), (4, 5), (5, 4)]
    times = rng.uniform(1, 9, len(arcs)).round(4)
    network = build_network(np.zeros((20, 2)), *np.array(arcs).T, times)
    expected = whole(20, arcs, np.round(times * 1e4)) / 1e4
    found = [[network.seconds(i, j) for j in range(20)] for i in range(20)]
    np.testing.assert_allclose(found, expected)


def test_a_grid_with_bends_in_both_modes():
    xy, arcs, times = grid_arcs(3, np.random.default_rng(1))
    network = build_network(xy, arcs[:, 0], arcs[:, 1], times)
    assert len(contract(len(xy), arcs[:, 0], arcs[:, 1]).decision) < len(xy) / 2
    for mode in (0, 1):
        expected = whole(len(xy), arcs, np.round(times[mode] * 1e4)) / 1e4
        found = [[network.seconds(i, j, mode) for j in range(len(xy))] for i in range(len(xy))]
        np.testing.assert_allclose(found, expected)


def test_tables_come_back_from_the_disk_and_a_damaged_file_is_made_again(cache):
    xy, arcs, times = grid_arcs(3, np.random.default_rng(1))
    first = build_network(xy, arcs[:, 0], arcs[:, 1], times)
    stored = next(cache.glob("travel/*/time.npy"))
    again = build_network(xy, arcs[:, 0], arcs[:, 1], times)
    assert all(np.array_equal(a, b) for a, b in zip(first.roads, again.roads, strict=True))
    stored.write_bytes(b"damaged")
    mended = build_network(xy, arcs[:, 0], arcs[:, 1], times)
    assert np.array_equal(mended.roads.time, first.roads.time)


def test_other_times_are_another_table(cache):
    xy, arcs, times = grid_arcs(3, np.random.default_rng(1))
    build_network(xy, arcs[:, 0], arcs[:, 1], times)
    build_network(xy, arcs[:, 0], arcs[:, 1], times * 2)
    assert len(list(cache.glob("travel/*/time.npy"))) == 2


def test_bad_arcs_are_named():
    with pytest.raises(ValueError, match=r"arc 1 \(1 in all\): to_node.*arc 0 \(1 in all\): time"):
        build_network(np.zeros((2, 2)), [0, 1], [1, 5], [0.0, 1.0])
