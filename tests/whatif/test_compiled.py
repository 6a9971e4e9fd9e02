"""Compiled branches on frozen times: the same figures, to the last bit, as the model itself gives."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from tests.whatif.quick import AT, case, city, from_start, live
from twin.city import City
from twin.contract import MINUTE
from twin.execution.run import assemble
from twin.models.policies.dispatch import ClosestIdle
from twin.whatif.frozen import all_but
from twin.world import World

POLICIES = ["closest_idle(siren_share=1)", "dmexclp", "dmexclp(busy_fraction=0.4,preparation=30 s)"]


def asked(world, compiled, policies=POLICIES, horizon=45 * MINUTE, keep=("emergency", "avl"), replications=2):
    return world.branch(
        policies=policies,
        horizon=horizon,
        replications=replications,
        workers=1,
        frozen=all_but(world.assembly, *keep),
        compiled=compiled,
    )


def bits(found):
    return {
        (b.policy, b.replication): [struct.pack("<d", v) for part in (b.figures, b.whole) for v in part.values()]
        for b in found.branches
    }


def crowded(seed=3, at=AT):
    """Return a world with too few people, units and bays, lost reports, and hospitals without power."""
    plain = city()
    tables = {name: dict(table) for name, table in plain.tables.items()}
    tables["hospitals"]["bays"] = np.ones_like(tables["hospitals"]["bays"])
    place = (plain.name, plain.title, plain.driving_side, plain.timezone, plain.crs)
    tight = City(*place, tables, plain.parameters, plain.provenance, plain.report)
    desk = {"call_takers": 2, "dispatchers": 1, "patience": 60.0, "calls_factor": 40.0, "triage_error": 0.4}
    options = case().options
    given = {**options, "emergency": {**options["emergency"], **desk}, "avl": {**options["avl"], "fault_share": 0.3}}
    world = World(assemble(replace(case(), seed=seed, options=given), tight)).run(at)
    world.view(world.assembly.owner_of["hospital.powered"]).put("hospital.powered", 0, False)
    return world


def test_every_figure_of_every_branch_has_the_bytes_the_model_gives():
    quick, slow = asked(live(), True), asked(live(), False)
    assert quick.compiled == quick.choices == slow.choices
    assert slow.compiled == ()
    assert bits(quick) == bits(slow)
    assert len(set(map(tuple, bits(quick).values()))) > 3


@pytest.mark.parametrize("at", [0, 11 * MINUTE + 1, 26 * MINUTE + 1234567])
def test_from_any_instant(at):
    world = from_start(at)
    assert bits(asked(world, True, replications=1)) == bits(asked(world, False, replications=1))


@pytest.mark.parametrize("seed", [3, 8])
def test_with_queues_everywhere_lost_reports_and_dark_hospitals(seed):
    world = crowded(seed)
    quick, slow = asked(world, True, replications=1), asked(world, False, replications=1)
    assert bits(quick) == bits(slow)
    first = slow.branches[0].whole
    assert first["calls_open"] > 3
    assert first["hospital_wait"] > 60
    assert first["calls_abandoned"] > 0


def test_the_present_policy_goes_on_where_it_was():
    world = live()
    assert bits(asked(world, True, [], replications=3)) == bits(asked(world, False, [], replications=3))


def test_positions_that_nobody_reports_any_more_need_the_model():
    assert asked(live(), True, ["dmexclp"], 5 * MINUTE, ("emergency",), 1).compiled == ()


RULES = [
    *("closest_idle(siren_share=1)", "dmexclp(busy_fraction=0.4)", "districts", "mdp_heuristic", "hospital_aware"),
    *("closest_idle+dmexclp_relocation", "dmexclp+priority_list", "districts+compliance_table", "dmexclp+static"),
]


@pytest.mark.parametrize("keep", [("emergency", "avl"), None], ids=["frozen", "coupled"])
@pytest.mark.parametrize("tight", [False, True], ids=["easy", "crowded"])
def test_every_rule_has_the_bytes_of_its_policy(keep, tight):
    world = crowded(8) if tight else live()
    keep = keep or [component.name for component in world.assembly.components]
    quick, slow = (asked(world, compiled, RULES, 40 * MINUTE, keep, 1) for compiled in (True, False))
    assert quick.compiled == (quick.choices if keep == ("emergency", "avl") else quick.choices[1:])
    assert bits(quick) == bits(slow)


@pytest.mark.slow
def test_calls_that_are_decided_at_once_wait_for_different_ambulances_in_both():
    options = {**case().options["emergency"], "calls_factor": 40.0, "dispatchers": 1, "call_takers": 8}
    world = World(assemble(replace(case(), options={**case().options, "emergency": options}), city())).run(AT)
    rule = ["hospital_aware(sooner=0 s)"]
    quick, slow = (asked(world, compiled, rule, 45 * MINUTE, replications=1) for compiled in (True, False))
    assert quick.compiled == quick.choices
    assert bits(quick) == bits(slow)


def everything(world):
    return [component.name for component in world.assembly.components]


def test_branches_in_which_streets_go_on_are_compiled_beside_a_witness():
    quick, slow = (asked(live(), compiled, horizon=45 * MINUTE, keep=everything(live())) for compiled in (True, False))
    assert quick.compiled == quick.choices[1:]
    assert bits(quick) == bits(slow)
    assert [list(b.figures) for b in quick.branches] == [list(b.figures) for b in slow.branches]


def test_what_also_changes_the_streets_needs_the_model():
    found = asked(live(), True, ["dmexclp+actuated", "dmexclp"], 4 * MINUTE, everything(live()), 1)
    assert found.compiled == ("dmexclp",)
    assert not found.failed


def test_what_was_counted_before_the_instant_is_left_out():
    world = live().branch()
    world.state["call.preempted"][np.flatnonzero(world.state["call.closed"] < 0)[:3]] = 2
    quick, slow = (asked(world, compiled, ["dmexclp"], 5 * MINUTE, replications=1) for compiled in (True, False))
    assert quick.compiled == quick.choices
    assert bits(quick) == bits(slow)
    assert {(b.whole["units_preempted"], b.figures["units_preempted"]) for b in quick.branches} == {(6, 0)}


class Furthest(ClosestIdle):
    """Send the idle unit that is furthest away."""

    name = "furthest"

    def choose(self, observation, call, units, reach):
        return int(np.argmax(reach))


def test_a_rule_of_ones_own_is_run_by_the_model_and_the_table_says_so():
    found = asked(live(), True, [Furthest, "dmexclp+actuated"], 20 * MINUTE, replications=1)
    assert found.compiled == ("closest_idle+fixed_time", "dmexclp+actuated")
    by = found.table().set_index("policy")["compiled"]
    assert not by["furthest"].any()
    assert by["dmexclp+actuated"].all()
    alone = asked(live(), False, [Furthest, "dmexclp+actuated"], 20 * MINUTE, replications=1)
    assert bits(found) == bits(alone)


def test_an_event_of_the_service_to_come_needs_the_model():
    world = from_start(5 * MINUTE)
    world.state["hospital.ordered"][0] = True
    assert asked(world, True, ["dmexclp"], 2 * MINUTE, replications=1).compiled == ()


@pytest.mark.parametrize("given", [{"siren": "urgent"}, {"drive": "vehicles"}, {"worsens_after": 600.0}])
def test_what_the_kernel_does_not_know_needs_the_model(given):
    options = {**case().options, "emergency": {**case().options["emergency"], **given}}
    world = World(assemble(replace(case(), options=options), city())).run(2 * MINUTE)
    found = asked(world, True, ["dmexclp"], MINUTE, replications=1)
    assert found.compiled == ()
    assert not found.failed


def test_the_world_is_left_as_it_is():
    before = {name: live().state[name].copy() for name in live().state.layout.columns}
    asked(live(), True)
    for name, column in before.items():
        assert np.array_equal(column, live().state[name], equal_nan=column.dtype.kind == "f"), name
