"""A scenario becomes cases: plain SI values, one per arm and seed."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.scenario.toys import TOWN, codes, town, toy_city
from twin.contract import HOUR, MINUTE
from twin.errors import ScenarioError
from twin.scenario import Case
from twin.units import parse_local

ARMS = """
replications: 3
seed: 10
policy: {dispatch: nearest}
events:
  - {at: +2 h, kind: flood, where: {id: [n1, n3]}, peak: 50 cm}
  - {at: "18:30", kind: alarm}
  - {at: 2026-01-15 20:00 WIB, kind: closure, where: all}
arms:
  A:
  B: {policy: {dispatch: {name: nearest, speed: 36 km/h}}, options: {water: {every: 2 min}}}
"""


@pytest.fixture
def scenario(tmp_path):
    found = town(tmp_path, ARMS)
    assert codes(found) == []
    return found


def test_cases_are_arms_times_replications(scenario):
    cases = scenario.cases()
    assert [(case.arm, case.replication, case.seed) for case in cases] == [
        ("A", 0, 10), ("A", 1, 11), ("A", 2, 12), ("B", 0, 10), ("B", 1, 11), ("B", 2, 12),
    ]  # fmt: skip


def test_staged_replications_begin_with_the_first_stage(tmp_path):
    found = town(tmp_path, ARMS.replace("replications: 3", "replications: {first: 4, cap: 9}"))
    assert (found.stopping.first, found.stopping.cap) == (4, 9)
    assert [case.seed for case in found.cases()] == [10, 11, 12, 13] * 2
    assert town(tmp_path, ARMS).stopping is None
    assert town(tmp_path, "replications: {cap: 30}\n").replications == 10


def test_kpis_named_for_comparison_are_judged_together(tmp_path):
    named = town(tmp_path, "compare: {kpis: {depth_mean: {margin: 1 m}}}\n")
    assert named.comparison.judged == ("depth_mean",)
    every = town(tmp_path).comparison
    assert set(every.judged) == {name for name, margin in every.margins.items() if margin > 0}


def test_times_are_utc_and_whole_microseconds(scenario):
    case = scenario.cases()[0]
    assert case.start == parse_local("2026-01-15 09:00", "UTC")
    assert case.duration == 6 * HOUR
    assert case.record == {"every": 5 * MINUTE}


def test_events_are_resolved_and_ordered(scenario):
    events = scenario.cases()[0].events
    assert [(event.kind, event.time, event.targets, event.params, event.label) for event in events] == [
        ("alarm", 90 * MINUTE, (), {"level": 1}, "town.yaml:12"),
        ("flood", 2 * HOUR, (1, 3), {"peak": 0.5}, "town.yaml:11"),
        ("closure", 4 * HOUR, (0, 1, 2), {}, "town.yaml:13"),
    ]


def test_options_are_si_with_defaults_filled(scenario):
    first, last = scenario.cases()[0], scenario.cases()[-1]
    assert first.options["water"] == {
        "every": 300.0, "share": 0.5, "rounds": 3, "method": "fast", "loud": False, "note": "",
    }  # fmt: skip
    assert last.options["water"]["every"] == 120.0
    assert (first.options["nearest"], last.options["nearest"]) == ({"speed": 10.0}, {"speed": 10.0})
    assert first.policies == {"dispatch": "nearest"}


def test_a_case_travels_as_json_and_pickle(scenario):
    cases = scenario.cases()
    assert len(cases) > 1
    for case in cases:
        assert Case.from_json(case.to_json()) == case
        assert pickle.loads(pickle.dumps(case)) == case


def test_the_digest_is_the_same_in_another_process(scenario):
    case = scenario.cases()[0]
    code = "import sys; from twin.scenario import Case; print(Case.from_json(sys.stdin.read()).digest)"
    shown = subprocess.run(
        [sys.executable, "-c", code], input=case.to_json(), capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == case.digest


def test_the_digest_tells_runs_apart_and_ignores_places(scenario, tmp_path):
    cases = scenario.cases()
    assert len({case.digest for case in cases}) == len(cases)
    (tmp_path / "other").mkdir()
    moved = town(tmp_path / "other", "# a comment moves every line\ntitle: Other words" + ARMS, name="other.yaml")
    assert codes(moved) == []
    assert [case.digest for case in moved.cases()] == [case.digest for case in cases]
    assert replace(cases[0], duration=cases[0].duration + 1).digest != cases[0].digest


def test_without_arms_there_is_one(tmp_path):
    found = town(tmp_path)
    assert codes(found) == []
    assert [(case.arm, case.seed) for case in found.cases()] == [("base", 1)]


def test_models_default_to_what_the_city_can_carry(tmp_path):
    found = town(tmp_path, text=TOWN.replace("models: [water]\n", ""))
    assert codes(found) == []
    assert found.cases()[0].models == ("follower", "water")


def found_models(folder, text):
    found = town(folder, text=text)
    assert codes(found) == []
    return found.cases()[0].models


def test_a_model_that_must_be_told_something_runs_only_when_it_is(tmp_path):
    text = TOWN.replace("models: [water]\n", "")
    assert found_models(tmp_path, text) == ("follower", "water")
    found = town(tmp_path, "options: {tuned: {file: town.yaml}}\n", text=text)
    assert codes(found) == []
    assert found.cases()[0].models == ("follower", "tuned", "water")


def test_a_field_nobody_provides_is_a_problem(tmp_path):
    found = town(tmp_path, text=TOWN.replace("[water]", "[follower, pipes]"))
    messages = [problem.message for problem in found.check(toy_city()) if problem.code == "E136"]
    assert len(messages) == 2
    assert messages[0] == "follower needs water, not part of this run"
    assert "pipes needs what city square lacks: pipes" in messages[1]


def test_errors_forbid_cases_and_come_all_at_once(tmp_path):
    found = town(tmp_path, "seed: -1\nreplications: many\nrecord: {every: 3}\n")
    assert codes(found) == [("E123", 6), ("E120", 7), ("E121", 8)]
    with pytest.raises(ScenarioError, match="3 errors") as caught:
        found.cases()
    assert len([problem for problem in caught.value.problems if problem.is_error]) == 3


def test_paths_of_a_base_in_another_folder_stay_right(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "counts.csv").write_text("x")
    town(tmp_path / "below", "feeds: [{feed: loops, file: counts.csv}]\n", name="first.yaml")
    found = town(tmp_path, text="base: below/first.yaml\n")
    assert codes(found) == []
    case = found.cases()[0]
    assert case.feeds == (("loops", {"file": "below/counts.csv", "latency": 60.0}),)
    assert case.files == ("below/counts.csv",)
    before = case.data_digest()
    (tmp_path / "below" / "counts.csv").write_text("y")
    assert case.data_digest() != before


def test_a_missing_file_offers_those_that_end_as_it_does(tmp_path):
    for name in ("count.csv", "run.log"):
        (tmp_path / name).write_text("x")
    (problem,) = [p for p in town(tmp_path, "feeds: [{feed: loops, file: counts.csv}]\n").check() if p.is_error]
    assert (problem.code, problem.allowed, problem.nearest) == ("E100", ("count.csv",), "count.csv")


def test_data_files_stay_as_written(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_DATA", str(tmp_path / "data"))
    found = town(tmp_path, "feeds: [{feed: loops, file: $TWIN_DATA/toy/counts.csv}]\n")
    (problem,) = [problem for problem in found.check(toy_city()) if problem.is_error]
    assert (problem.code, problem.next_command) == ("E100", "twin data get toy")
    (tmp_path / "data" / "toy").mkdir(parents=True)
    (tmp_path / "data" / "toy" / "counts.csv").write_text("x")
    again = town(tmp_path, "feeds: [{feed: loops, file: $TWIN_DATA/toy/counts.csv}]\n")
    assert codes(again) == []
    assert again.cases()[0].files == ("$TWIN_DATA/toy/counts.csv",)


def test_a_scenario_shows_itself(scenario):
    shown = scenario._repr_html_()
    assert "town" in shown
    assert "A, B" in shown
    assert "0 errors" in shown
    assert scenario.resolved()["arms"]["B"]["policy"] == {"dispatch": {"name": "nearest", "speed": "36 km/h"}}


def test_a_refusal_lists_errors_and_counts_warnings(tmp_path):
    found = town(tmp_path, "options: {watr: {every: 2 min}}\n")
    with pytest.raises(ScenarioError) as refused:
        found.cases()
    lines = str(refused.value).splitlines()
    assert any(not problem.is_error for problem in refused.value.problems)
    assert all("[E" in line for line in lines[:-1])
    assert "1 error, " in lines[-1]
