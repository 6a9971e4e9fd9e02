"""What may be asked and how, what is refused, and what becomes of failures and Ctrl-C."""

from __future__ import annotations

import os

import pytest

from tests.whatif.quick import AT, live
from twin.contract import MINUTE, Command, EventKind, Option, Policy
from twin.errors import ContractError, DataError, TwinError
from twin.fields import Field
from twin.models.policies.dispatch import ClosestIdle, Dmexclp
from twin.whatif import Change, read_choice, switched
from twin.whatif.choices import split


class Counting(ClosestIdle):
    """A dispatcher with fields and an event of his own, whose name comes first among all kinds."""

    name = "counting"
    events = (EventKind("a_reminder", "he looks at his watch", quiet=True),)
    owns = (Field("tally.count", "int64", "1", "looks"), Field("tally.begun", "int64", "us", "first instant", -1))

    def setup(self, setup):
        super().setup(setup)
        return {"tally": 1}

    def start(self, view):
        view.raw("tally.begun")[0] = view.now
        view.schedule("a_reminder", MINUTE)

    def on_event(self, view, event):
        view.raw("tally.count")[0] += 1
        view.schedule("a_reminder", MINUTE)


class Recounting(Counting):
    """The same post, filled by somebody else."""


class Broken(Policy):
    name = "broken"
    role = "dispatch"
    every = MINUTE
    commands = ("dispatch",)

    def decide(self, observation):
        raise ValueError("no plan")


class Warned(Policy):
    name = "warned"
    role = "warnings"
    sees = ("call.stage",)
    commands = ("dispatch",)
    on = ("call_triaged",)
    options = (Option("loud", "how", "flag", False),)

    def decide(self, observation):
        return [Command("dispatch", 0, -1.0)]


class Airborne(Broken):
    name = "airborne"
    requires = ("helipads", "observed_wind.speed", "call.stage")


def ask(*policies, **more):
    return live().branch(policies=list(policies), **{"horizon": "5 min", "replications": 1, "workers": 1, **more})


@pytest.mark.parametrize(
    "spec",
    [
        "dmexclp(preparation=1.5 min, busy_fraction=0.4)",
        ("dmexclp", {"preparation": 90, "busy_fraction": 0.4}),
        ("dmexclp", {"preparation": "90 s", "busy_fraction": "0.4"}),
    ],
)
def test_options_are_read_in_any_spelling(spec):
    choice = read_choice(spec, live().assembly)
    assert choice.options["dmexclp"] == {"siren_share": 0.5, "preparation": 90.0, "busy_fraction": 0.4}


def test_classes_and_objects_are_policies_too():
    assert ask(Dmexclp).choices[1] == ask(Dmexclp()).choices[1] == "dmexclp"


class Keen(ClosestIdle):
    name = "keen"

    def __init__(self, slots=1):
        self.slots = slots


def test_objects_of_one_class_are_tried_apart_and_only_the_present_object_is_present():
    found = ask(Keen(1), Keen(2), ClosestIdle(), horizon="10 s")
    assert found.choices == ("closest_idle", "keen", "keen #2", "closest_idle #2")
    (here,) = [policy for policy in live().assembly.policies if policy.role == "dispatch"]
    assert ask(here, "dmexclp", horizon="10 s").choices == ("closest_idle", "dmexclp")
    same = Keen(3)
    with pytest.raises(DataError, match="keen is asked for twice"):
        ask(same, same)


def test_a_policy_whose_orders_nobody_would_carry_out_is_refused():
    with pytest.raises(DataError, match="dmexclp orders emergency only, which would stand still"):
        ask("dmexclp", frozen=["emergency"])
    assert not ask("actuated", frozen=["emergency"], horizon="10 s").failed


def test_lists_are_cut_outside_brackets():
    assert split("a(b=1,c=2),d , e+f(g=3)") == ["a(b=1,c=2)", "d", "e+f(g=3)"]


def test_a_new_policy_begins_with_fields_of_its_own_now():
    child = switched(live(), Change(read_choice(Counting, live().assembly)))
    assert child.state["tally.begun"][0] == AT
    assert "tally.count" not in live().state
    now, before = child.state["written.stamp"], live().state["written.stamp"]
    numbers = live().assembly.field_number
    assert child.assembly.field_number != numbers
    assert all(now[child.assembly.field_number[name]] == before[numbers[name]] for name in numbers)
    again = switched(child.run(AT + 4 * MINUTE), Change(read_choice("dmexclp", child.assembly)))
    assert "tally.begun" not in again.state
    assert again.run(AT + 9 * MINUTE).check() == []


def test_events_of_a_policy_begin_and_end_with_it_and_leave_all_others_in_place():
    child = switched(live(), Change(read_choice(Counting, live().assembly))).run(AT + 4 * MINUTE + 1)
    assert child.state["tally.count"][0] == 4
    plain = live().branch().run(AT + 4 * MINUTE + 1)
    assert [row[:3] for row in child.events.rows()] == [row[:3] for row in plain.events.rows()]
    back = switched(child, Change(read_choice("closest_idle", child.assembly))).run(AT + 20 * MINUTE)
    plain.run(AT + 20 * MINUTE)
    rung = [[row[:3] for row in world.events.rows() if row[1] == "call_rings"] for world in (back, plain)]
    assert rung[0] == rung[1]


def test_a_successor_of_the_same_name_begins_afresh():
    child = switched(live(), Change(read_choice(Counting, live().assembly))).run(AT + 3 * MINUTE + 1)
    again = switched(child, Change(read_choice(Recounting, child.assembly)))
    assert (again.state["tally.count"][0], again.state["tally.begun"][0]) == (0, AT + 3 * MINUTE + 1)
    again.run(AT + 5 * MINUTE + 2)
    assert again.state["tally.count"][0] == 2


def test_a_role_nobody_has_yet_can_be_filled():
    child = switched(live(), Change(read_choice(Warned, live().assembly))).run(AT + 12 * MINUTE)
    refused = [row for row in child.events.rows(len(live().events)) if row[1] == "order.dispatch"]
    assert refused
    assert [policy.name for policy in child.assembly.policies][-1] == "warned"


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"policies": ["dmexcl"]}, ContractError, "did you mean 'dmexclp'"),
        ({"policies": ["dmexclp(busy=1)"]}, DataError, "did you mean 'busy_fraction'"),
        ({"policies": ["dmexclp(busy_fraction=2)"]}, DataError, "at most 1"),
        ({"policies": ["dmexclp(busy_fraction=much)"]}, DataError, "is not understood"),
        ({"policies": ["dmexclp(busy_fraction"]}, DataError, "brackets"),
        ({"policies": ["dmexclp(0.4)"]}, DataError, "option=value"),
        ({"policies": ["dmexclp+closest_idle"]}, DataError, "both decide about dispatch"),
        ({"policies": ["dmexclp", "dmexclp"]}, DataError, "asked for twice"),
        ({"policies": ["3 x"]}, DataError, "is no policy"),
        ({"policies": [4]}, ContractError, "is no policy"),
        ({"policies": [Airborne]}, DataError, "airborne needs helipads, observed_wind.speed, which this run"),
        ({"policies": ["dmexclp"], "horizon": "3 h"}, DataError, "at most 50 min"),
        ({"policies": ["dmexclp"], "horizon": 0}, DataError, "1 s or longer"),
        ({"policies": ["dmexclp"], "by": "response"}, DataError, "there are "),
        ({"policies": ["dmexclp"], "replications": 0}, DataError, "branches were asked for"),
        ({"policies": ["dmexclp"], "without": (0,)}, TwinError, "take events out first"),
        ({"horizon": "1 h"}, TwinError, "need policies"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(asked, error, told):
    with pytest.raises(error, match=told):
        live().branch(**{"horizon": "5 min", **asked})


def test_a_policy_that_fails_is_told_and_the_others_are_kept():
    found = ask(Broken, "dmexclp", replications=2)
    assert [(b.policy, b.replication) for b in found.failed] == [("broken", 0), ("broken", 1)]
    assert "no plan" in found.failed[0].message
    assert found.best != "broken"
    assert len(found.values("response_mean", "dmexclp")) == 2


class Deadly(Broken):
    name = "deadly"

    def decide(self, observation):
        os._exit(9)


def test_a_worker_that_dies_fails_its_branches_and_the_question_ends():
    found = ask(Deadly, replications=3, workers=2)
    assert found.failed
    assert "a process died" in found.failed[0].message
    assert len(found.branches) == 6


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_what_is_done(workers):
    def press(done, total):
        if done == 3:
            raise KeyboardInterrupt

    found = ask("dmexclp", replications=20, workers=workers, progress=press)
    assert found.broken_off
    assert 3 <= len(found.branches) < 40
    assert "broken off" in repr(found)


def test_progress_counts_to_the_end():
    seen = []
    ask("dmexclp", replications=3, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 6) for n in range(1, 7)]
