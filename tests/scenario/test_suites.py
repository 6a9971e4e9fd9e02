"""Suites: unions and products of deltas, swept values, seeds, and the names of arms."""

from __future__ import annotations

import pytest

from tests.scenario.toys import TOWN, codes, town, toy_city, toy_registry
from twin.errors import ScenarioError
from twin.registry import BUILT_IN
from twin.scenario.keys import GENERATORS

EVENT = "events: [{at: +1 h, kind: flood, where: {id: n1}, peak: {sweep: [1 m, 50 cm]}}]\n"


def shares(scenario):
    return {case.arm: case.options["water"]["share"] for case in scenario.cases(1)}


def test_a_list_is_a_union_and_is_named_by_what_differs(tmp_path):
    text = """vary:
  - options: {water: {share: 0.1}}
  - {label: dry, options: {water: {share: 0.25}}}
  - {}
"""
    found = town(tmp_path, text)
    assert codes(found) == []
    assert shares(found) == {"share_0p1": 0.1, "dry": 0.25, "unchanged": 0.5}
    assert found.arms == ("share_0p1", "dry", "unchanged")


def test_a_mapping_is_a_product_of_its_axes(tmp_path):
    text = """vary:
  who: [{policy: {dispatch: nearest}}, {policy: {dispatch: fair}}]
  share: [{options: {water: {share: 10 %}}}, {options: {water: {share: 1}}}]
"""
    found = town(tmp_path, text)
    assert codes(found) == []
    assert found.arms == (
        "nearest__share_10pct", "nearest__share_1", "fair__share_10pct", "fair__share_1",
    )  # fmt: skip
    policies = {case.arm: case.policies["dispatch"] for case in found.cases(1)}
    assert policies["nearest__share_1"] == "nearest"
    assert policies["fair__share_10pct"] == "fair"


def test_variants_nest_and_multiply_named_arms(tmp_path):
    text = """vary:
  - {}
  - {label: long, duration: 12 h, vary: [{options: {water: {share: 0.1}}}, {options: {water: {share: 0.2}}}]}
arms:
  A:
  B: {vary: {x: [{title: One, seed: ~}, {options: {water: {rounds: 7}}}]}}
"""
    found = town(tmp_path, text.replace(", seed: ~", ""))
    assert codes(found) == []
    inner = ("unchanged", "long__share_0p1", "long__share_0p2")
    assert found.arms == tuple(f"{arm}__{name}" for arm in ("A", "B__One", "B__rounds_7") for name in inner)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("options: {water: {share: {sweep: [0.1, 30 %]}}}", ["share_0p1", "share_30pct"]),
        ("options: {water: {share: {range: {from: 0, to: 1, count: 3}}}}", ["share_0", "share_0p5", "share_1"]),
        ("options: {water: {rounds: {range: {from: 1, to: 6, step: 2}}}}", ["rounds_1", "rounds_3", "rounds_5"]),
        ("options: {water: {every: {range: {from: 1 min, to: 2 min, step: 0.5 min}}}}",
         ["every_1min", "every_1p5min", "every_2min"]),
        ("policy: {dispatch: {sweep: [nearest, fair]}}", ["nearest", "fair"]),
        ("policy: {dispatch: {name: nearest, speed: {sweep: [3 m/s, 4 m/s]}}}", ["speed_3m_s", "speed_4m_s"]),
        ("record: {every: {sweep: [1 min, 5 min]}}", ["every_1min", "every_5min"]),
        (EVENT, ["peak_1m", "peak_50cm"]),
    ],
)  # fmt: skip
def test_open_values_make_arms(tmp_path, text, names):
    found = town(tmp_path, f"{text}\n")
    assert codes(found) == []
    assert list(found.arms) == names
    assert len({case.digest for case in found.cases(1)}) == len(names)


def test_swept_values_reach_events_and_policies(tmp_path):
    found = town(tmp_path, EVENT + "policy: {dispatch: {sweep: [nearest, fair]}}\n")
    assert [(case.events[0].params["peak"], case.policies["dispatch"]) for case in found.cases(1)] == [
        (1.0, "nearest"), (1.0, "fair"), (0.5, "nearest"), (0.5, "fair"),
    ]  # fmt: skip


def test_start_and_duration_may_be_swept(tmp_path):
    text = TOWN.replace("duration: 6 h", "duration: {sweep: [6 h, 12 h]}")
    assert {case.duration for case in town(tmp_path, text=text).cases()} == {6 * 3600 * 10**6, 12 * 3600 * 10**6}


def test_an_arm_may_settle_what_the_scenario_leaves_open(tmp_path):
    text = "options: {water: {share: {sweep: [0.1, 0.2]}}}\narms: {A: , B: {options: {water: {share: 0.7}}}}\n"
    assert shares(town(tmp_path, text)) == {"A__share_0p1": 0.1, "A__share_0p2": 0.2, "B": 0.7}


def test_variants_that_come_out_alike_are_one(tmp_path):
    found = town(tmp_path, "vary: [{options: {water: {share: 0.1}}}, {options: {water: {share: 0.1}}}]\n")
    assert codes(found) == []
    assert found.arms == ("share_0p1",)
    assert [p.message for p in found.check() if p.code == "W202"] == ["arm share_0p1_2 is the same as arm share_0p1"]
    assert town(tmp_path, "arms: {A: , B: }\n").arms == ("A", "B")


def test_what_tells_arms_apart_is_listed(tmp_path):
    text = EVENT + "arms: {A: , B: {policy: {dispatch: fair}}}\n"
    found = town(tmp_path, text)
    assert found.differences["A__peak_1m"] == {"events.1.peak": "1 m", "policy.dispatch.name": "-"}
    assert found.differences["B__peak_50cm"] == {"events.1.peak": "50 cm", "policy.dispatch.name": "fair"}


def test_seeds_may_be_listed(tmp_path):
    found = town(tmp_path, "seeds: [3, 40, 5]\n")
    assert codes(found) == []
    assert [(case.replication, case.seed) for case in found.cases()] == [(0, 3), (1, 40), (2, 5)]
    assert [case.seed for case in found.cases(5)] == [3, 40, 5, 41, 42]
    assert (found.replications, found.seeds) == (3, (3, 40, 5))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("vary: []", "E160"),
        ("vary: 3", "E105"),
        ("vary: [3]", "E105"),
        ("vary: {x: {policy: {dispatch: fair}}}", "E105"),
        ("vary: [{seed: 3}]", "E110"),
        ("vary: [{arms: {}}]", "E110"),
        ("vary: [{label: a b}]", "E120"),
        ("vary: [{policy: {dispatch: fiar}}]", "E132"),
        ("vary: {x: [{duration: 1 h}], y: [{duration: 2 h}]}", "E160"),
        ("vary: {x: [{policy: {dispatch: fair}}], y: [{policy: {dispatch: {speed: 3 m/s}}}]}", "E160"),
        ("arms: {A: {vary: []}}", "E160"),
        ("arms: {A: {label: []}}", "E105"),
        ("options: {water: {share: {sweep: []}}}", "E160"),
        ("options: {water: {share: {sweep: 3}}}", "E105"),
        ("options: {water: {share: {sweep: [[1]]}}}", "E160"),
        ("options: {water: {share: {sweep: [0.1, 3]}}}", "E123"),
        ("options: {water: {share: {sweep: [0.1], range: {from: 0, to: 1, count: 2}}}}", "E160"),
        ("options: {water: {share: {sweep: [0.1], step: 3}}}", "E110"),
        ("options: {water: {share: {range: {from: 0, to: 1}}}}", "E160"),
        ("options: {water: {share: {range: {from: 1, to: 0, count: 2}}}}", "E123"),
        ("options: {water: {share: {range: {from: 0, to: 1, count: 1.5}}}}", "E123"),
        ("options: {water: {share: {range: {from: 0, to: 1, step: 0}}}}", "E123"),
        ("options: {water: {share: {range: {from: 0, to: 1, step: 1e-9}}}}", "E161"),
        ("options: {water: {share: {range: {from: 0, to: 1, count: 1000000000000}}}}", "E161"),
        ("options: {water: {every: {range: {from: 1 s, to: 1 min, count: 2}}}}", "E122"),
        ("options: {water: {share: {range: {from: 0, to: few, count: 2}}}}", "E120"),
        ("options: {water: {sweep: [0.1]}}", "E135"),
        ("seeds: 3", "E105"),
        ("seeds: []", "E161"),
        ("seeds: [1, 1]", "E160"),
        ("seeds: [x]", "E120"),
        ("{seeds: [1, 2], seed: 3}", "E160"),
        ("{seeds: [1, 2], replications: 3}", "E160"),
        ("compare: {kpis: {depth_mean: {direction: sideways}}}", "E125"),
        ("compare: {kpis: {depth_mean: {}}}", "E111"),
    ],
)
def test_what_cannot_be_read_is_one_problem_at_its_line(tmp_path, line, code):
    flow = line.startswith("{")
    extra = line.strip("{}").replace("], ", "]\n") if flow else line
    found = codes(town(tmp_path, extra + "\n"))
    assert [name for name, _ in found] == [code]
    assert found[0][1] in ({6, 7} if flow else {6})


def test_a_suite_too_large_is_told_before_it_is_made(tmp_path):
    nine = [", ".join(f"{{options: {{water: {{o{i}: {k}}}}}}}" for k in range(9)) for i in range(9)]
    axes = "".join(f"  a{i}: [{entries}]\n" for i, entries in enumerate(nine))
    assert ("E161", 7) in codes(town(tmp_path, f"vary:\n{axes}"))
    share, rounds = "{range: {from: 0, to: 1, count: 900}}", "{range: {from: 1, to: 900, step: 1}}"
    found = town(tmp_path, f"options: {{water: {{share: {share}, rounds: {rounds}}}}}\n")
    assert codes(found) == [("E161", 6)]


def test_a_nest_too_deep_is_a_problem(tmp_path):
    text = "vary: " + "[{vary: " * 40 + "[{}]" + "}]" * 40 + "\n"
    assert codes(town(tmp_path, text)) == [("E160", 6)]


def test_expectations_and_baselines_name_grown_arms(tmp_path):
    judged = "compare: {baseline: share_0p2}\nexpect: [share_0p1.depth_mean < 1 m]\n"
    found = town(tmp_path, f"options: {{water: {{share: {{sweep: [0.1, 0.2]}}}}}}\n{judged}")
    assert codes(found) == []
    assert found.comparison.baseline == "share_0p2"


def test_a_base_may_vary_and_its_heir_may_not(tmp_path):
    town(tmp_path, "vary: {x: [{duration: 1 h}, {duration: 2 h}]}\n", name="first.yaml")
    assert town(tmp_path, text="base: first.yaml\n", name="second.yaml").arms == ("duration_1h", "duration_2h")
    assert town(tmp_path, text="base: first.yaml\nvary: ~\n", name="third.yaml").arms == ("base",)


def test_no_component_has_an_option_that_is_spelt_like_an_open_value():
    for registry in (BUILT_IN, toy_registry()):
        for kind in ("model", "policy", "feed"):
            for found in registry.all(kind).values():
                assert not {option.name for option in found.options} & set(GENERATORS)


def test_too_few_errors_do_not_make_cases(tmp_path):
    found = town(tmp_path, "vary: [{policy: {dispatch: fiar}}]\n")
    found.check(toy_city())
    with pytest.raises(ScenarioError, match="fiar"):
        found.cases()
