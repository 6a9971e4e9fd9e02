"""Every registered component declares itself properly."""

from __future__ import annotations

import re

import pytest

from twin import registry
from twin.contract import Feed

MODELS = sorted(registry.models())
FEEDS = sorted(registry.feeds())
POLICIES = sorted(registry.policies())


def parts():
    return [
        registry.get(k, n) for k, names in (("model", MODELS), ("feed", FEEDS), ("policy", POLICIES)) for n in names
    ]


def test_the_registry_finds_the_built_in_parts():
    assert {"traffic", "power", "emergency", "restoration", "telecom", "hazards", "backup"} <= set(MODELS)
    assert {"probes", "avl", "scada"} <= set(FEEDS)
    assert {"closest_idle", "dmexclp", "fixed_time", "actuated", "first_come", "hospital_first"} <= set(POLICIES)


@pytest.mark.parametrize("part", parts(), ids=lambda p: p.name)
def test_fields_have_units_and_meanings(part):
    for field in part.owns:
        assert field.unit, field.name
        assert len(field.meaning) > 5, field.name
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", field.name)


@pytest.mark.parametrize("part", parts(), ids=lambda p: p.name)
def test_options_and_events_are_explained(part):
    for option in part.options:
        assert option.meaning
        assert option.kind in ("number", "integer", "text", "flag", "quantity", "choice", "path")
    for kind in (*part.events, *part.tells):
        assert kind.meaning
    assert not {kind.name for kind in part.events} & {kind.name for kind in part.tells}


def test_each_field_has_one_owner():
    names = [f.name for p in parts() for f in p.owns]
    assert len(names) == len(set(names))


def test_the_same_column_name_of_a_table_means_one_thing():
    meanings: dict[str, set[str]] = {}
    for part in parts():
        for field in part.owns:
            meanings.setdefault(field.name, set()).add(field.unit)
    assert all(len(units) == 1 for units in meanings.values())


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_sees_only_what_sensors_and_records_show(name):
    policy = registry.get("policy", name)
    observed = {f.name for f in (f for n in FEEDS for f in registry.get("feed", n).owns)}
    recorded = {f.name for p in parts() for f in p.owns if f.observable}
    assert not policy.reads
    hidden = set(policy.sees) - observed - recorded - {f.name for f in policy.owns}
    assert not hidden, f"{name} would see the truth: {sorted(hidden)}"


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_names_its_role_commands_and_source(name):
    policy = registry.get("policy", name)
    handled = {k.name for p in parts() for k in p.events}
    assert policy.role
    assert set(policy.commands) <= handled
    assert policy.source or not policy.commands


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_owns_observations_only(name):
    feed = registry.get("feed", name)
    assert issubclass(feed, Feed)
    assert any(f.table.startswith("observed_") for f in feed.owns)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_reads_what_some_model_owns(name):
    owned = {f.name for p in parts() for f in p.owns}
    model = registry.get("model", name)
    assert set(model.reads) | set(model.lags) | set(model.adds) <= owned
