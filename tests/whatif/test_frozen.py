"""Models that stand still: what they published stays, the others go on."""

from __future__ import annotations

import pytest

from tests.whatif.quick import AT, live
from twin.contract import MINUTE
from twin.errors import DataError
from twin.whatif import Change, Choice, read_choice, switched
from twin.whatif.frozen import all_but

STILL = ("hazards", "power", "backup", "telecom", "traffic", "restoration", "probes", "scada")


def test_all_but_names_the_rest():
    assert set(all_but(live().assembly, "emergency", "avl")) == set(STILL)


def test_nothing_of_a_frozen_model_changes():
    child = switched(live(), Change(Choice("x"), 5, frozenset(STILL))).run(AT + 30 * MINUTE)
    owners = live().assembly.owner_of
    kept = [n for n in child.state.layout.columns if owners.get(n.partition("@")[0]) in STILL]
    assert "link.time" in kept
    for name in kept:
        if not name.startswith(("pending", "job")):
            assert (child.state[name] == live().state[name]).all(), name
    assert child.kpis().keys() == {k.name for k in live().assembly.by_name["emergency"].kpi_list}


def test_calls_are_served_on_frozen_streets():
    child = switched(live(), Change(read_choice("dmexclp", live().assembly), 5, frozenset(STILL)))
    before = child.kpis()["calls_served"]
    child.run(AT + 45 * MINUTE)
    assert child.kpis()["calls_served"] > before + 5
    assert child.check() == []


def test_scenario_events_and_orders_for_frozen_models_do_nothing():
    child = switched(live(), Change(read_choice("actuated", live().assembly), None, frozenset(("traffic",))))
    child.run(AT + 12 * MINUTE)
    assert (child.state["signal.mode"] == live().state["signal.mode"]).all()


@pytest.mark.parametrize(("frozen", "dark"), [((), True), (("traffic",), False)])
def test_a_frozen_model_solves_nothing_when_its_inputs_change(frozen, dark):
    child = switched(live(), Change(frozen=frozenset(frozen)))
    owner = child.view(child.assembly.owner_of["signal.powered"])
    owner.put("signal.powered", 0, False)
    child.run(AT + MINUTE // 60)
    assert child.state["signal.dark"][0] == dark


def test_frozen_and_live_branches_differ_only_where_they_must():
    frozen = live().branch(policies=["dmexclp"], horizon="10 min", replications=1, workers=1, frozen=STILL)
    assert {f.name for f in frozen.figures} == {k.name for k in live().assembly.by_name["emergency"].kpi_list}
    assert frozen.frozen == tuple(sorted(STILL))
    assert not frozen.failed


def test_a_name_that_is_no_model_is_told_with_the_nearest():
    with pytest.raises(DataError, match="did you mean 'traffic'"):
        live().branch(policies=["dmexclp"], horizon="1 min", frozen=("trafic",))
