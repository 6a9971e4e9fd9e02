"""A branch equals a run from the start that switches at the branch instant, to the last bit."""

from __future__ import annotations

import struct

import pytest

from tests.whatif.quick import AT, from_start, live
from twin.contract import MINUTE
from twin.whatif import Change, future_seed, read_choice, switched
from twin.world import World

HORIZON = 25 * MINUTE
TRIED = ("dmexclp", "dmexclp(busy_fraction=0.5)", "dmexclp(preparation=3 min)+actuated", "hospital_first")
FUTURES = 4


def bits(figures):
    return {name: struct.pack("<d", value) for name, value in figures.items()}


@pytest.fixture(scope="module")
def asked():
    return live().branch(policies=TRIED, horizon=HORIZON, replications=FUTURES, workers=2)


def test_twenty_branches_equal_twenty_runs_from_the_start(asked):
    labels = (None, *TRIED)
    sample = [(label, replication) for replication in range(FUTURES) for label in labels]
    found = {(b.policy, b.replication): b for b in asked.branches}
    assert len(sample) == len(found) == 20
    for label, replication in sample:
        alone = from_start().switch(label, future_seed(live().seed, AT, replication)).run(AT + HORIZON)
        assert bits(alone.kpis()) == bits(found[label or asked.present, replication].whole), (label, replication)
        assert alone.check() == []


def test_policies_and_futures_make_a_difference(asked):
    served = {b.policy: b.whole["response_mean"] for b in asked.branches if b.replication == 0}
    assert len(set(served.values())) > 1
    present = asked.values("response_mean", asked.present)
    assert len(set(present.values())) == FUTURES


def test_the_live_world_is_left_as_it_was():
    before = live().digest(), len(live().events)
    live().branch(policies=["dmexclp"], horizon="5 min", replications=2, workers=1)
    assert (live().digest(), len(live().events)) == before


def test_one_worker_and_two_give_the_same_bytes():
    one, two = (
        live().branch(policies=["dmexclp"], horizon="10 min", replications=3, workers=workers) for workers in (1, 2)
    )
    assert [(b.policy, b.replication, bits(b.whole), bits(b.figures)) for b in one.branches] == [
        (b.policy, b.replication, bits(b.whole), bits(b.figures)) for b in two.branches
    ]


def test_a_change_of_nothing_goes_on_as_a_plain_branch():
    plain, same = live().branch().run(AT + HORIZON), switched(live(), Change()).run(AT + HORIZON)
    assert same.events.rows() == plain.events.rows()
    assert bits(same.kpis()) == bits(plain.kpis())


def test_the_present_policy_by_its_name_changes_nothing():
    choice = read_choice("closest_idle", live().assembly)
    assert choice.policies == ()
    found = live().branch(policies=["closest_idle", "dmexclp"], horizon="5 min", replications=1, workers=1)
    assert found.choices == ("closest_idle", "dmexclp")


@pytest.mark.parametrize("spec", [None, "dmexclp+hospital_first"])
def test_a_switched_world_saves_loads_and_branches_exactly(spec, tmp_path):
    world = from_start().switch(spec, 12345).run(AT + 7 * MINUTE)
    again = World.load(world.save(tmp_path), world.assembly)
    child = world.branch()
    expected = world.run(AT + HORIZON).events.rows()
    assert again.run(AT + HORIZON).events.rows() == expected
    assert child.run(AT + HORIZON).digest() == world.digest() == again.digest()


def test_a_switched_world_switches_again():
    once = from_start().switch("dmexclp", 1).run(AT + 5 * MINUTE)
    branch = once.branch(policies=["closest_idle"], horizon="15 min", replications=1, workers=1).branches[-1]
    seed = future_seed(once.seed, once.now, 0)
    assert branch.policy == "closest_idle"
    assert bits(once.switch("closest_idle", seed).run(AT + 20 * MINUTE).kpis()) == bits(branch.whole)
    assert once.check() == []
