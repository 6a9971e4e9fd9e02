"""The law: run = run + save + load + run, bit for bit; a branch is a run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.toys import toy_assembly
from twin.contract import SECOND
from twin.world import World

END = 60 * SECOND


@pytest.fixture(scope="module")
def assembly():
    return toy_assembly()


@pytest.fixture(scope="module")
def whole(assembly):
    return World(assembly).run(END)


def outcome(world):
    return world.digest(), world.events.rows(), world.parents.rows(), world.series.rows()


def test_the_toys_use_every_mechanism(whole):
    kinds = {row[1] for row in whole.events.rows()}
    assert {"pump_switched", "came_back", "order.call_in", "rain_falls", "patient_comes"} <= kinds
    assert whole.state["patient.gave_up"][0] > 3
    assert whole.state["patient.broken_off"][0] > 0
    assert whole.state["patient.treated"][0] > 30


@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, END))
def test_branch_goes_on_exactly_and_leaves_its_parent_alone(assembly, whole, at):
    parent = World(assembly).run(at)
    before = parent.digest()
    child = parent.branch()
    assert outcome(child.run(END)) == outcome(whole)
    assert parent.digest() == before
    assert outcome(parent.run(END)) == outcome(whole)


@settings(max_examples=15, deadline=None)
@given(at=st.lists(st.integers(0, END), min_size=1, max_size=3))
def test_saved_and_loaded_at_any_instants_is_the_same_run(assembly, whole, tmp_path_factory, at):
    world = World(assembly)
    for instant in sorted(at):
        folder = tmp_path_factory.mktemp("snapshot")
        world.run(instant).save(folder)
        world = World.load(folder, assembly)
    assert outcome(world.run(END)) == outcome(whole)


def test_another_seed_is_another_run(whole):
    assert World(toy_assembly(2)).run(END).digest() != whole.digest()


def test_growing_tables_keep_the_law(assembly, whole):
    world = World(assembly)
    world.run(END // 3)
    world.state.grow("job")
    world.run(END)
    assert world.events.rows() == whole.events.rows()


def test_policy_orders_carry_the_delay(whole):
    rows = whole.events.rows()
    orders = [r[0] for r in rows if r[1] == "order.call_in"]
    acts = [r[0] for r in rows if r[1] == "call_in"]
    assert np.array_equal(np.array(orders) + 2 * SECOND, acts[: len(orders)]) or len(orders) > len(acts)
