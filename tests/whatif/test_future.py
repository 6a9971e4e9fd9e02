"""What is drawn anew and what stays: calls, surges, sensors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.whatif.quick import AT, case, city, live
from twin.contract import MINUTE, SECOND
from twin.execution.run import assemble
from twin.whatif import Change, future_seed, switched
from twin.whatif.future import renewals
from twin.world import World

COLUMNS = ("time", "node", "priority", "talk", "scene", "handover", "transport")


def calls_of(world):
    return world.assembly.by_name["emergency"].calls


def renewed(seed):
    return renewals(live(), seed)["emergency"].component.calls


@pytest.mark.parametrize("seed", range(5))
def test_calls_that_have_rung_keep_all_that_was_drawn(seed):
    old, new = calls_of(live()), renewed(seed)
    rung = np.flatnonzero(old.time < AT)
    assert rung.size > 10
    for column in COLUMNS:
        assert (getattr(new, column)[rung] == getattr(old, column)[rung]).all()


def test_a_surge_that_has_begun_stays_and_one_to_come_is_drawn_anew():
    old, new = calls_of(live()), renewed(1)
    begun, coming, fresh = old.surge == 1, old.surge == 2, new.surge == 2
    assert (new.time[: old.time.size][begun] == old.time[begun]).all()
    assert fresh.sum() == coming.sum() == 8
    assert (new.time[fresh] != old.time[coming]).all()
    assert (new.time[fresh] >= 55 * MINUTE).all()


def test_calls_to_come_have_the_mean_number_and_spread_of_their_process():
    counts = []
    for seed in range(200):
        new = renewed(seed)
        counts.append(int(((new.surge < 0) & (new.time >= AT) & (new.time < 90 * MINUTE)).sum()))
    emergency = live().assembly.city.parameters["emergency"]
    profile = np.array(emergency["profile"]) / np.mean(emergency["profile"])
    hours = (17 + (40 + np.arange(50) + 0.5) / 60).astype(int)
    expected = float(profile[hours].sum()) * 20 * emergency["calls_per_day"] / 1440
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.sqrt(expected / 200))
    assert np.var(counts) == pytest.approx(expected, rel=0.45)


def test_more_calls_than_the_run_had_get_rows_of_their_own_and_ring():
    old = calls_of(live())
    seed = next(s for s in range(100) if renewed(s).time.size > old.time.size)
    child = switched(live(), Change(seed=seed))
    child.run(90 * MINUTE)
    calls = calls_of(child)
    due = np.flatnonzero(calls.time < 90 * MINUTE)
    assert due.max() >= old.time.size
    assert (child.state["call.rung"][due] == calls.time[due]).all()
    assert child.check() == []


def test_calls_that_are_not_to_happen_never_ring():
    old = calls_of(live())
    seed = next(s for s in range(100) if (renewed(s).time > 10**15).any())
    child = switched(live(), Change(seed=seed)).run(90 * MINUTE)
    gone = calls_of(child).time > 10**15
    assert gone.sum() == (old.time >= AT).sum() - (old.surge == 1)[old.time >= AT].sum()
    assert (child.state["call.rung"][gone] == -1).all()


def test_the_next_call_is_not_known_before_it_rings():
    waits = []
    for seed in range(200):
        new = renewed(seed)
        coming = new.time[(new.surge < 0) & (new.time >= AT)]
        waits.append((coming.min() - AT) / SECOND)
    assert np.std(waits) > 0.7 * np.mean(waits)


def test_policies_share_a_future_and_replications_do_not():
    seeds = [future_seed(3, AT, replication) for replication in range(100)]
    assert len(set(seeds)) == 100
    assert future_seed(3, AT, 7) == seeds[7] != future_seed(3, AT + 1, 7)
    assert all(0 <= seed < 2**62 for seed in seeds)


def test_sensor_noise_is_fresh_from_the_branch_on():
    ends = [switched(live(), Change(seed=s)).run(AT + 3 * MINUTE).state["observed_link.time"].copy() for s in (1, 1, 2)]
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).any()


def test_a_world_can_be_branched_before_it_has_begun():
    world = World(assemble(case(), city()))
    found = world.branch(policies=["dmexclp"], horizon="6 min", replications=1, workers=1)
    assert not found.failed
    assert found.at == 0
