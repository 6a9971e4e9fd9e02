"""Fibres between telecom sites: who is silent when one is cut, for how long, and why."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import ancestors, assemble, ids, places, planned, six_bus_city, times
from twin.contract import SECOND
from twin.errors import CityError
from twin.models.telecom import Telecom
from twin.world import World

RING = ([0, 1, 2, 3], [1, 2, 3, 0])


def world_of(*events, fibres=RING, hub=(True, False, False, False)):
    """Return four sites; site 0 is the hub."""
    start, end = (np.array(rows, dtype=np.int32) for rows in fibres)
    sites = {"id": ids("c", 4), **places([0.0, 2000.0, 3000.0, 5000.0]), "hub": np.array(hub)}
    table = {"id": ids("f", len(start)), "from_site": start, "to_site": end}
    return World(assemble(*events, parts=[Telecom()], city=six_bus_city(sites=sites, fibres=table, dependencies=None)))


def alive(world, second):
    return world.run(round(second * SECOND)).state["site.alive"].astype(int).tolist()


def test_a_ring_bears_one_cut_and_two_cuts_silence_what_lies_between():
    cuts = planned("fibre_cut", 100, [0], duration=900.0), planned("fibre_cut", 200, [2], duration=300.0)
    world = world_of(*cuts)
    assert alive(world, 150) == [1, 1, 1, 1]
    assert alive(world, 250) == [1, 0, 0, 1]
    assert alive(world, 550) == [1, 1, 1, 1]
    assert world.check() == []


def test_a_dead_site_silences_what_lies_behind_it_and_the_hub_all():
    world = world_of(planned("site_failure", 100, [1], duration=0.0), fibres=([0, 1, 0], [1, 2, 3]))
    assert alive(world, 150) == [1, 0, 0, 1]
    world = world_of(planned("site_failure", 100, [0], duration=50.0))
    assert alive(world, 120) == [0, 0, 0, 0]
    assert alive(world, 160) == [1, 1, 1, 1]


def test_two_cuts_of_one_fibre_end_each_by_itself():
    cuts = planned("fibre_cut", 100, [0], duration=100.0), planned("fibre_cut", 150, [0], duration=200.0)
    world = world_of(*cuts, fibres=([0], [1]), hub=(True, False, True, True))
    assert alive(world, 250) == [1, 0, 1, 1]
    assert alive(world, 360) == [1, 1, 1, 1]
    assert times(world, "site_back") == [350.0]


def test_a_silent_site_names_the_cut():
    world = world_of(planned("fibre_cut", 100, [0], duration=0.0), planned("fibre_cut", 200, [2], duration=0.0))
    assert alive(world, 250) == [1, 0, 0, 1]
    assert ancestors(world, int(world.state["site.alive@cause"][1])) == ["site_dead", "fibre_cut"]


def test_a_cut_is_saved_and_ends(tmp_path):
    world = world_of(planned("fibre_cut", 100, [0, 2], duration=900.0))
    whole = world.branch().run(2000 * SECOND).digest()
    folder = world.run(500 * SECOND).save(tmp_path / "cut")
    assert World.load(folder, world.assembly).run(2000 * SECOND).digest() == whole


def test_fibres_that_end_at_no_hub_are_refused():
    with pytest.raises(CityError, match="needs a site that is a hub"):
        world_of(hub=(False, False, False, False))
