"""In the twin nobody meets a node twice, however often travel times are published anew, while no road closes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models.traffic.small_city import small_city, traffic_world
from twin.kernels import traffic_arrays
from twin.kernels.traffic_arrays import ARRIVED, CODE_SHIFT, ENTRIES, EXITS, OUT_SLOT, ROW_WORD
from twin.world import World

SIDE = 5


def town(rng, bans=0):
    """Return a city of two-way links on a grid, of random length and capacity, with some turns banned."""
    node = np.arange(SIDE**2).reshape(SIDE, SIDE)
    one = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    two = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    pairs = np.column_stack([np.append(one, two), np.append(two, one)])
    plain = small_city(pairs.tolist(), trips=30_000)
    links = {name: np.array(column) for name, column in plain["links"].items()}
    links["length"] = rng.uniform(100, 400, len(pairs))
    links["capacity"] = rng.choice([0.05, 0.2, 0.5], len(pairs))
    turns = np.argwhere((pairs[:, 1:] == pairs[:, 0]) & (pairs[:, :1] != pairs[:, 1]))
    turns = turns[rng.permutation(len(turns))[:bans]]
    tables = {"banned_turns": {"from_link": turns[:, 0], "to_link": turns[:, 1]}} if bans else {}
    return small_city(pairs.tolist(), trips=30_000, links=links, **tables)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("seed", "bans"), [(1, 0), (2, 0), (3, 12)])
def test_no_trip_meets_a_node_or_a_link_twice(seed, bans, monkeypatch):
    log = traffic_arrays.new_log(1 << 17)
    monkeypatch.setattr(traffic_arrays, "new_log", lambda _: log)
    city = town(np.random.default_rng(seed), bans)
    world = traffic_world(
        city, 3600, seed, informed_share=1.0, publish_every=30.0, reroute_every=60.0, gridlock="relax"
    ).run()
    assert (world.state["vehicle.outcome"] == ARRIVED).sum() > 500
    rows = slice(int(log.written[0]))
    steps = pd.DataFrame({"trip": log.vehicle[rows], "link": log.link[rows]})
    assert not steps.duplicated().any()
    if not bans:
        node = city["links"]["to_node"][steps["link"]]
        assert not steps.assign(node=node).duplicated(["trip", "node"]).any()


def kept_ways(world):
    """Count the vehicles under way that drive a way of their own."""
    state, network = world.state, world.assembly.by_name["traffic"].built.network
    found = 0
    for link, row in enumerate(state["road.queue"]):
        bottom, top = network.ring_start[link : link + 2]
        slots = (row[OUT_SLOT] - bottom + np.arange(row[ENTRIES] - row[EXITS])) % (top - bottom) + bottom
        found += int((state["ring.row"][slots, ROW_WORD] >> CODE_SHIFT >= 0).sum())
    return found


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("instant", [1201, 1260, 1799])
def test_trails_and_kept_ways_save_and_load_exactly(instant, tmp_path):
    # at 1,260 s the tables have just been made anew; there is room for one page of steps at first
    options = {"informed_share": 1.0, "publish_every": 30.0, "reroute_every": 60.0, "gridlock": "relax"}
    whole = traffic_world(town(np.random.default_rng(1), 12), 2400, 1, **options).run()
    cut = World(whole.assembly).run(instant * 1_000_000)
    assert kept_ways(cut) > 0
    again = World.load(cut.save(tmp_path / "cut"), whole.assembly).run()
    assert again.digest() == whole.digest()
    assert whole.state["trail_list.used"][0] >= 1
