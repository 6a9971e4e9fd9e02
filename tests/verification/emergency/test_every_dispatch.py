"""What holds for every registered rule of dispatch, in the whole model of the service."""

from __future__ import annotations

import numpy as np
import pytest

from tests.verification.emergency.county import HOURS, SIDE, SPEED, STEP, county, served, world
from twin import registry
from twin.models.emergency.offline_bound import CallTrace, offline_bound
from twin.models.emergency.tables import ABANDONED

RULES = sorted(registry.policies("dispatch"))
TARGET = 300.0


def bits(run):
    """Return all state and all events of a run."""
    return run.digest(), run.events.rows(), run.parents.rows()


@pytest.mark.parametrize("name", RULES)
def test_a_run_driven_by_its_own_trace_is_the_same_run(name):
    ran, trace = served(name)
    again = registry.get("policy", name)()
    again.decide = lambda observation: [order for at, order in trace if at == observation.now]
    assert bits(world(again, HOURS).run()) == bits(ran)
    assert len(trace) >= 50


def way():
    """Return the seconds between any two places."""
    i, j = np.divmod(np.arange(county().rows("nodes")), SIDE)
    return (np.abs(i[:, None] - i) + np.abs(j[:, None] - j)) * STEP / SPEED


def bound_of(states, done):
    """Return the bound over calls that every rule has closed: others left out, it only falls."""
    city, travel = county(), way()
    node = states[0]["call.node"][done]
    hospitals, stations = (np.asarray(city[name]["node"]) for name in ("hospitals", "stations"))
    units = np.repeat(stations, city["stations"]["units"])
    carried = np.min([state["call.at_hospital"][done] for state in states], axis=0) >= 0
    end = np.where(carried, hospitals[travel[:, hospitals].argmin(axis=1)][node], node)
    busy = np.min([(state["call.closed"] - state["call.on_scene"])[done] for state in states], axis=0) / 1e6
    trace = CallTrace(states[0]["call.triaged"][done] / 1e6, node, end, busy, 0.0 * busy, units)
    return offline_bound(trace, travel, TARGET, stations=stations, both_ways=True)


def late_and_mean(state, done):
    """Return the share of calls reached later than the target after triage, and the mean (s)."""
    response = (state["call.on_scene"] - state["call.triaged"])[done] / 1e6
    return (response > TARGET).mean(), response.mean()


@pytest.mark.parametrize("name", RULES)
def test_no_rule_beats_the_assignment_of_one_who_knows_all_calls(name):
    states = [served(rule)[0].state for rule in RULES]
    assert len({state["call.triaged"].tobytes() for state in states}) == 1
    done = np.flatnonzero(np.all([(s["call.closed"] >= 0) & (s["call.stage"] != ABANDONED) for s in states], axis=0))
    bound = bound_of(states, done)
    late, mean = late_and_mean(served(name)[0].state, done)
    print(
        f"{name}: mean {mean:.0f} s, bound {bound.mean_response:.0f} s; late {late:.3f}, bound {bound.late_share:.3f}"
    )
    assert len(done) >= 80
    assert mean >= bound.mean_response > 100
    assert late >= bound.late_share > 0.03


def test_rules_differ_where_they_are_compared():
    units = {name: served(name)[0].state["call.unit"].tobytes() for name in RULES}
    same = {name for name in RULES if units[name] == units["closest_idle"]}
    assert same == {"closest_idle", "closest_upgrade"}, "without a table of upgrades these two are one rule"


def test_every_compiled_rule_is_compared_with_its_policy_byte_by_byte():
    from tests.whatif.test_compiled import RULES as COMPARED
    from twin.models.emergency.standstill_rules import is_compiled

    compared = {one.partition("(")[0] for rules in COMPARED for one in rules.split("+")}
    offered = [*registry.policies("dispatch").items(), *registry.policies("relocation").items()]
    compiled = {name for name, rule in offered if is_compiled(rule())}
    assert compiled == compared


def test_every_compiled_rule_of_the_service_alone_is_compared_event_by_event():
    """All but the compliance table: a `Mover` in Python is asked after the freed unit has set off home."""
    from tests.kernels.test_emergency import TWINS
    from twin.models.emergency.rules import DISPATCH_RULES, MOVE_UP_RULES

    compared = [rules[0] for rules in TWINS.values()]
    assert {rule.dispatch for rule in compared} == set(DISPATCH_RULES)
    assert {rule.move_up for rule in compared} | {"compliance"} == set(MOVE_UP_RULES)
