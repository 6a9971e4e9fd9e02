"""Laws of unions and products: order-free, the right count, nesting is multiplication."""

from __future__ import annotations

import json
import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scenario.toys import TOWN, toy_city, toy_registry
from twin.scenario.arms import grow
from twin.scenario.layers import normal
from twin.scenario.problems import Problems
from twin.scenario.scenario import Scenario
from twin.scenario.tree import read
from twin.scenario.vary import count

CITY, REGISTRY = toy_city(), toy_registry()
KEYS = ("share", "rounds", "every", "speed")
VALUES = {
    "share": [0.1, 0.2, 0.5, 1],
    "rounds": [1, 2, 7],
    "every": ["1 min", "90 s", "2 h"],
    "speed": ["1 m/s", "20 km/h"],
}


def delta(key, value):
    if key == "speed":
        return {"policy": {"dispatch": {"name": "nearest", "speed": value}}}
    return {"options": {"water": {key: value}}}


@st.composite
def axes(draw):
    """Return axes over different keys: key -> distinct values."""
    chosen = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True))
    return {key: draw(st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=3, unique=True)) for key in chosen}


def grown(vary, **more):
    """Return the arms of a scenario as a set of plain trees, and their names."""
    problems = Problems()
    trees = grow(normal(read(json.dumps({"vary": vary, **more}), "x.yaml", problems)), problems)
    assert not problems.has_errors, [str(problem) for problem in problems]
    return {json.dumps(tree.plain(), sort_keys=True) for tree in trees.values()}, set(trees)


def product(chosen):
    return {key: [delta(key, value) for value in values] for key, values in chosen.items()}


@settings(max_examples=80, deadline=None)
@given(chosen=axes(), data=st.data())
def test_a_product_is_free_of_the_order_of_axes_and_entries(chosen, data):
    keys = data.draw(st.permutations(list(chosen)))
    turned = {key: data.draw(st.permutations(chosen[key])) for key in keys}
    arms, names = grown(product(chosen))
    assert len(arms) == len(names) == math.prod(map(len, chosen.values()))
    assert grown(product(turned))[0] == arms


@settings(max_examples=80, deadline=None)
@given(chosen=axes(), data=st.data())
def test_a_union_is_free_of_order_and_idempotent(chosen, data):
    entries = [delta(key, value) for key, values in chosen.items() for value in values]
    turned = data.draw(st.permutations(entries))
    arms, names = grown(entries)
    assert len(arms) == len(names) == len(entries)
    assert grown(turned) == (arms, names)
    assert grown(entries + turned)[0] == arms


@settings(max_examples=80, deadline=None)
@given(chosen=axes())
def test_nested_unions_are_products(chosen):
    def nested(keys):
        if not keys:
            return [{}]
        return [{**delta(keys[0], value), "vary": nested(keys[1:])} for value in chosen[keys[0]]]

    assert grown(nested(list(chosen)))[0] == grown(product(chosen))[0]


@settings(max_examples=60, deadline=None)
@given(first=axes(), second=axes())
def test_a_product_distributes_over_a_union(first, second):
    axis = [delta("note", word) for word in ("x", "y")]
    both = [{"vary": product(first)}, {"label": "other", "vary": product(second)}]
    left = grown({"a": axis, "b": both})[0]
    right = grown([{"vary": {"a": axis, "b": product(first)}}, {"vary": {"a": axis, "b": product(second)}}])[0]
    assert left == right
    assert left == {arm for one in (first, second) for arm in grown({"a": axis, **product(one)})[0]}


@settings(max_examples=60, deadline=None)
@given(chosen=axes())
def test_sweeps_are_axes(chosen):
    options = {key: {"sweep": values} for key, values in chosen.items() if key != "speed"}
    policy = {"dispatch": {"name": "nearest", "speed": {"sweep": chosen.get("speed", [])}}}
    more = {"options": {"water": options}} | ({"policy": policy} if "speed" in chosen else {})
    base = {"options": {"water": {}}} | ({"policy": {}} if "speed" in chosen else {})
    assert grown([{}], **more)[0] == grown(product(chosen), **base)[0]


@settings(max_examples=60, deadline=None)
@given(chosen=axes(), data=st.data())
def test_the_count_is_known_before_anything_is_made(chosen, data):
    entries = data.draw(st.integers(1, 3))
    vary = [{"label": f"e{i}", "vary": product(chosen)} for i in range(entries)]
    node = normal(read(json.dumps({"vary": vary}), "x.yaml", Problems())).get("vary")
    assert count(node) == entries * math.prod(map(len, chosen.values()))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=axes(), data=st.data())
def test_cases_do_not_depend_on_how_a_suite_is_written(tmp_path, chosen, data):
    turned = {key: data.draw(st.permutations(chosen[key])) for key in data.draw(st.permutations(list(chosen)))}
    found = []
    for axes_of in (chosen, turned):
        path = tmp_path / "town.yaml"
        path.write_text(TOWN + f"replications: 2\nvary: {json.dumps(product(axes_of))}\n")
        scenario = Scenario(path, (), REGISTRY)
        assert not [p for p in scenario.check(CITY) if p.is_error]
        found.append({(json.dumps(dict(c.options), sort_keys=True), c.seed) for c in scenario.cases()})
    assert found[0] == found[1]
    assert len(found[0]) == 2 * math.prod(map(len, chosen.values()))
