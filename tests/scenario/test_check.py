"""Wrong scenarios: each problem has its code and line; the golden files hold the words."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenario.toys import TOWN, codes, town, toy_city
from twin.registry import Registry
from twin.scenario import load, report

HERE = Path(__file__).parent
BROKEN = sorted(path.stem for path in (HERE / "broken").glob("*.yaml"))
UPDATE = "TWIN_UPDATE_GOLDEN"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sed: 1", "E110"),
        ("arms: {A: {seed: 3}}", "E110"),
        ("arms: {A-1: {}}", "E120"),
        ("arms: [A, B]", "E105"),
        ("seed: 1.5", "E120"),
        ("seed: [1]", "E105"),
        ("seed: 9223372036854775807", "E123"),
        ("replications: 1000000", "E123"),
        ("replications: {first: 10, cap: 1000000}", "E123"),
        ("options: {water: {every: 200000000 d}}", "E123"),
        ("options: {water: {rounds: 100000000000}}", "E123"),
        ("events: [{at: +1 h, kind: flood, where: all, peak: 1e20 m}]", "E123"),
        (f"arms: {{{'A' * 300}: {{}}}}", "E123"),
        ("arms: {cities: {}}", "E120"),
        ("arms: {Pictures: {}}", "E120"),
        ("events: [{at: [1], kind: alarm}]", "E105"),
        (r'title: "\ud800"', "E120"),
        (r'title: "a\0b"', "E120"),
        ("events: [{at: +1 h, kind: flood, peak: 1 m, where: {polygon: [[.nan, 0], [1, 1], [0, 1]]}}]", "E140"),
        ("events: [{at: +1 h, kind: flood, peak: 1 m, where: {polygon: [[1e308, 0], [1, 1], [0, 1]]}}]", "E140"),
        ("replications: 0", "E123"),
        ("replications: [3]", "E105"),
        ("replications: {first: 10}", "E111"),
        ("replications: {frist: 10, cap: 20}", "E110"),
        ("replications: {first: 1, cap: 20}", "E123"),
        ("replications: {first: 10, cap: 9}", "E123"),
        ("replications: {first: [10], cap: 20}", "E105"),
        ("record: {every: 5 m}", "E122"),
        ("record: {traversals: true}", "E110"),
        ("record: {every: 1 us}", "E123"),
        ("record: {every: 200000000 d}", "E123"),
        ("record: {state: 1}", "E120"),
        ("options: {water: {every: 5}}", "E121"),
        ("options: {water: {every: 5 km}}", "E122"),
        ("options: {water: {every: 0.5 s}}", "E123"),
        ("options: {water: {every: [1 s]}}", "E105"),
        ("options: {water: {share: .nan}}", "E124"),
        ("options: {water: {share: 130 %}}", "E123"),
        ("options: {water: {share: much}}", "E120"),
        ("options: {water: {rounds: 2.5}}", "E120"),
        ("options: {water: {method: fsat}}", "E125"),
        ("options: {water: {loud: loudly}}", "E120"),
        ("options: {water: {evry: 5 s}}", "E135"),
        ("options: {water: 3}", "E105"),
        ("options: {wter: {}}", "E131"),
        ("policy: {dispach: nearest}", "E134"),
        ("policy: {dispatch: nearset}", "E132"),
        ("policy: {repair: nearest}", "E132"),
        ("policy: {dispatch: {speed: 3 m/s}}", "E111"),
        ("policy: {dispatch: {name: nearest, sped: 3 m/s}}", "E135"),
        ("feeds: [lops]", "E133"),
        ("feeds: [{latency: 3 s}]", "E111"),
        ("feeds: [loops]", "E111"),
        ("feeds: {loops: 1}", "E105"),
        ("events: [{at: +1 h, kind: fload, where: all}]", "E134"),
        ("events: [{at: +1 h, kind: flood_step}]", "E134"),
        ("events: [{at: +1 h, kind: silence, where: all}]", "E134"),
        ("events: [{at: +1 h}]", "E111"),
        ("events: [{kind: alarm}]", "E111"),
        ("events: [{at: +1 h, kind: flood, where: all}]", "E111"),
        ("events: [{at: +1 h, kind: closure}]", "E111"),
        ("events: [{at: +1 h, kind: alarm, levl: 2}]", "E110"),
        ("events: [{at: +1 h, kind: alarm, where: {id: n0}}]", "E140"),
        ("events: [{at: +7 h, kind: alarm}]", "E141"),
        ("events: [{at: 2026-01-15 16:00, kind: alarm}]", "E141"),
        ("events: [{at: soon, kind: alarm}]", "E126"),
        ("events: [{at: +3, kind: alarm}]", "E121"),
        ("events: [{at: +1 h, kind: flood, where: all, peak: -1 m}]", "E123"),
        ("compare: {baseline: C}", "E150"),
        ("compare: {kpis: {depth_men: {margin: 1 m}}}", "E150"),
        ("compare: {kpis: {depth_mean: {margin: 1}}}", "E121"),
        ("compare: {confidence: 2}", "E123"),
        ("expect: [depth_mean is small]", "E150"),
        ("expect: [depth_men < 1 m]", "E150"),
        ("expect: [B.depth_mean < 1 m]", "E150"),
        ("expect: [depth_mean < 1 s]", "E122"),
    ],
)
def test_a_wrong_line_is_one_problem_at_its_line(tmp_path, line, code):
    assert codes(town(tmp_path, line + "\n")) == [(code, 6)]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("start: 2026-01-15 17:00", "start: 2026-02-30 17:00", "E126"),
        ("duration: 6 h", "duration: -6 h", "E123"),
        ("duration: 6 h", "duration: [6 h]", "E105"),
        ("duration: 6 h", "duration: 4000000 d", "E123"),
        ("start: 2026-01-15 17:00", "start: 0001-01-01 00:00", "E126"),
        ("start: 2026-01-15 17:00", "start: 9999-12-31 23:00", "E123"),
        ("scenario: town", "scenario: [1]", "E105"),
        ("scenario: town", f"scenario: {'a' * 300}", "E123"),
        ("city: nusantara", "city: {folder: ~nouser/x}", "E100"),
        ("city: nusantara", "city: {name: nusantara, scale: 1e6}", "E123"),
        ("models: [water]", "models: [watre]", "E131"),
        ("models: [water]", "models: [[water]]", "E105"),
        ("scenario: town", "scenario: Old Town", "E120"),
        ("city: nusantara", "city: nusantra", "E130"),
        ("city: nusantara", "city: {name: nusantara, osm: x.osm}", "E111"),
        ("city: nusantara", "city: {scale: 2}", "E111"),
        ("city: nusantara", "city: {osm: nowhere.osm.pbf}", "E100"),
        ("city: nusantara", "city: {name: nusantara, scale: 0}", "E123"),
    ],
)
def test_a_wrong_required_key_is_one_problem(tmp_path, old, new, code):
    line = TOWN.splitlines().index(old) + 1
    assert codes(town(tmp_path, text=TOWN.replace(old, new))) == [(code, line)]


@pytest.mark.parametrize("key", ["scenario", "city", "start", "duration"])
def test_a_missing_key_is_named_with_an_example(tmp_path, key):
    text = "".join(line + "\n" for line in TOWN.splitlines() if not line.startswith(key))
    (problem,) = [problem for problem in town(tmp_path, text=text).check(toy_city()) if problem.is_error]
    assert problem.code == "E111"
    assert f"for example {key}: " in problem.message


def test_a_city_that_cannot_be_loaded_hides_nothing_else(tmp_path):
    (tmp_path / "x.osm").write_text("not a map")
    found = town(tmp_path, "sed: 1\n", text=TOWN.replace("nusantara", "{osm: x.osm}"))
    assert [problem.code for problem in found.check() if problem.is_error] == ["E130", "E110"]


def test_a_bad_start_hides_no_bad_event(tmp_path):
    text = TOWN.replace("17:00", "47:00")
    events = "events: [{at: +1 h, kind: alarm, levl: 2}, {at: +1 h, kind: closure, where: 3}]\n"
    assert codes(town(tmp_path, events, text=text)) == [("E126", 3), ("E110", 6), ("E140", 6)]


def test_a_bad_city_hides_no_bad_event(tmp_path):
    text = TOWN.replace("nusantara", "nusantra").replace("models: [water]\n", "")
    found = town(tmp_path, "events: [{at: +1 h, kind: alarm, levl: 2}]\n", text=text)
    assert [(p.code, p.line) for p in found.check() if p.is_error] == [("E130", 2), ("E110", 5)]


def test_a_recording_has_no_more_rows_than_a_run_can_bear(tmp_path):
    text = TOWN.replace("6 h", "360 d")
    assert codes(town(tmp_path, "record: {every: 5 s}\n", text=text)) == [("E123", 6)]
    assert codes(town(tmp_path, "record: {every: 1 min}\n", text=text)) == []


def test_a_word_of_vary_cannot_take_a_folder_of_results(tmp_path):
    found = town(tmp_path, "vary:\n  - {label: cities, title: a}\n")
    assert [code for code, _ in codes(found)] == ["E120"]


def test_the_largest_values_are_told_in_words(tmp_path):
    (problem,) = [p for p in town(tmp_path, "options: {water: {every: 1e12 d}}\n").check(toy_city()) if p.is_error]
    assert problem.message == "every (1e12 d) must be at most 100 years"


def test_defaults_are_counted_never_silent(tmp_path):
    (warning,) = town(tmp_path, "options: {water: {share: 0.1}}\n").check(toy_city())
    assert (warning.code, warning.is_error) == ("W201", False)
    assert warning.message == "water: 5 of 6 options take their defaults, 1 of them quantities (every)"


def test_parameters_a_city_lacks_are_counted(tmp_path):
    found = town(tmp_path, "options: {tuned: {file: town.yaml}}\n", text=TOWN.replace("water", "tuned"))
    problems = found.check(replace(toy_city(), parameters={"tuning": {"depth": 1.0}}))
    assert [(problem.code, problem.message) for problem in problems] == [
        ("W203", "tuned takes its own values for 1 of 2 parameters of tuning, which city square does not give: width")
    ]


def test_options_without_effect_are_reported(tmp_path):
    found = town(tmp_path, "options: {nearest: {speed: 1 m/s}}\n").check(toy_city())
    assert [(problem.code, problem.line) for problem in found] == [("W201", 5), ("W202", 6)]


def test_expectations_and_margins_are_read(tmp_path):
    extra = "compare: {kpis: {closed_time: {margin: 1 h}}}\nexpect: ['depth_mean < 50 cm', 'base.closed_time >= 2 h']\n"
    found = town(tmp_path, extra)
    assert codes(found) == []
    assert found.comparison.margins == {"closed_time": 60.0, "depth_mean": 0.1}
    first, second = found.expectations
    assert [first.holds(value) for value in (0.4, 0.5, float("nan"))] == [True, False, False]
    assert not replace(first, op="!=").holds(float("nan"))
    assert (str(second), second.holds(120.0), second.label) == ("base.closed_time >= 120", True, "town.yaml:7")


def test_two_problems_of_all_arms_are_told_once(tmp_path):
    found = town(tmp_path, "events: [{at: +9 h, kind: alarm}]\narms: {A: , B: }\n")
    assert codes(found) == [("E141", 6)]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_scenarios_say_what_their_golden_file_says(name, monkeypatch):
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("TWIN_DATA", "no_data_here")
    built_in = Registry("twin.models")
    shown = report(load(f"broken/{name}.yaml", registry=built_in).check()) + "\n"
    golden = HERE / "golden" / f"{name}.txt"
    if os.environ.get(UPDATE):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_every_broken_scenario_is_broken():
    assert len(BROKEN) >= 10
    assert all("[E" in (HERE / "golden" / f"{name}.txt").read_text(encoding="utf-8") for name in BROKEN)
