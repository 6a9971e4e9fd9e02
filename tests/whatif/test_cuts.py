"""Branches from inside every step, queue, shift change, pre-emption and interrupted repair; and a cut that is late."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tests.models.emergency.service_world import HALVES, plan_file
from tests.models.emergency.test_service_units import UPGRADE, two_calls
from tests.models.test_crews import mended
from tests.whatif.quick import AT, from_start, live
from twin.contract import MINUTE, SECOND
from twin.whatif import Change, future_seed, read_choice, switched
from twin.world import World


def bits(figures):
    return {name: struct.pack("<d", value) for name, value in figures.items()}


@pytest.mark.parametrize("policy", ["dmexclp", "districts", "closest_idle(siren_share=1)"])
def test_a_switch_one_microsecond_late_is_another_run(policy):
    seed, end = future_seed(live().seed, AT, 0), AT + 25 * MINUTE
    found = live().branch(policies=[policy], horizon=25 * MINUTE, replications=1, workers=1).branches[-1]
    on_time, late = (bits(from_start(at).switch(policy, seed).run(end).kpis()) for at in (AT, AT + 1))
    assert on_time == bits(found.whole)
    assert late != on_time


def moments(world, until):
    """Return an instant (us) inside each step of each procedure, each queue, and behind each shift change and order."""
    found = {}
    procedures = [(name, steps) for _, steps, name in world.assembly.procedures]
    while (at := world.step()) is not None and at < until:
        state = world.state
        for job in np.flatnonzero(state["job.alive"]).tolist():
            name, steps = procedures[int(state["job.procedure"][job])]
            parked = state["job.pending"][job] < 0
            found.setdefault((name, steps[int(state["job.step"][job])], bool(parked)), at + 1)
        waiting = state["claim.alive"] & (state["claim.granted"] < 0)
        for number in np.unique(state["claim.resource"][waiting]).tolist():
            found.setdefault(("queue", number), at + 1)
        for name in ("unit.duty", "desk.preempted", "crew.on_duty", "crew.stage", "repair.stage"):
            if name in state:
                found.setdefault((name, state[name].tobytes()), at + 1)
    return found


def goes_on_alike(make, found, policy, span, folder):
    """Compare branches of a world that goes on with worlds that were saved, loaded and switched there."""
    world, digests = make(), set()
    for number, at in enumerate(sorted(set(found.values()))):
        world.run(at)
        seed, kept = future_seed(world.seed, at, 0), world.save(folder / str(number))
        child = switched(world, Change(read_choice(policy, world.assembly), seed)).run(at + span)
        again = World.load(kept, world.assembly).switch(policy, seed).run(at + span)
        assert child.digest() == again.digest(), at
        assert bits(child.kpis()) == bits(again.kpis())
        assert child.check() == []
        digests.add(child.digest())
    return digests


def test_missions_queues_shifts_and_pre_emption(tmp_path):
    text = UPGRADE.replace("west}]", "west, roster: day}, {kind: ambulance, station: east, roster: late}]") + HALVES

    def make():
        return two_calls(plan_file(tmp_path, text))

    found = moments(make(), 4000 * SECOND)
    steps = {key[1] for key in found if key[0] == "mission"}
    assert {"mobilise", "depart", "drive", "leave", "carry", "clear", "back"} <= steps
    assert len([key for key in found if key[0] == "unit.duty"]) > 1
    assert len([key for key in found if key[0] == "desk.preempted"]) > 1
    assert len(goes_on_alike(make, found, "closest_upgrade", 900 * SECOND, tmp_path)) > 10


def test_repairs_that_a_shift_breaks_off(tmp_path):
    def make():
        return mended(shift_from=6.0, shift_to=19.0, kits=1)

    found = moments(make(), 60_000 * SECOND)
    steps = {key[1] for key in found if key[0] == "repair"}
    assert {"drive", "isolate", "begin", "test", "restore", "back"} <= steps
    assert len([key for key in found if key[0] == "crew.on_duty"]) > 1
    assert len(goes_on_alike(make, found, "hospital_first", 3600 * SECOND, tmp_path)) > 10
