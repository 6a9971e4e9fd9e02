"""Branches: their memory is reused, never shared."""

from __future__ import annotations

import numpy as np

from tests.engine.toys import toy_assembly
from twin.contract import SECOND
from twin.world import World


def test_a_closed_branch_lends_its_memory_to_the_next():
    world = World(toy_assembly()).run(10 * SECOND)
    with world.branch() as child:
        child.run(20 * SECOND)
        place = child.state.buffer.__array_interface__["data"][0]
    again = world.branch()
    assert again.state.buffer.__array_interface__["data"][0] == place
    assert again.digest() == world.digest()


def test_memory_somebody_still_looks_at_is_not_reused():
    world = World(toy_assembly()).run(10 * SECOND)
    child = world.branch().run(20 * SECOND)
    held = child.state["node.water"]
    before = held.copy()
    child.close()
    world.branch().run(30 * SECOND)
    assert np.array_equal(held, before)


def test_what_a_closed_branch_logged_stays():
    world = World(toy_assembly()).run(10 * SECOND)
    child = world.branch().run(20 * SECOND)
    rows = child.events.rows()
    child.close()
    assert child.events.rows() == rows
    assert len(rows) > len(world.events.rows())


def test_a_branch_without_a_scenario_event_is_told_so_by_number():
    world = World(toy_assembly())
    child = world.branch(without=(0,))
    assert child.state["kind_off.flag"][0]
    assert not world.state["kind_off.flag"][0]
