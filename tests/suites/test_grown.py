"""Suites that vary, end to end: folders by arm, values drawn per replication, judged as the scenario says."""

from __future__ import annotations

import json

import pytest

from tests.suites.conftest import TEXT
from twin.errors import DataError
from twin.execution.execute import Execution
from twin.execution.suite import run_suite, select

DRAWN = "gap: {distribution: uniform, low: 15 s, high: 25 s}"


def gaps(cases):
    return {(case.arm, case.seed): case.options["shop"]["gap"] for case in cases}


def test_a_swept_suite_has_a_folder_per_arm(tmp_path, tiny):
    text = TEXT.replace("  A: {}\n", "").replace("A.served", "B__gap_20s.served").replace("baseline: A, ", "")
    scenario = tiny(
        "gap: {sweep: [20 s, 30 s]}", text.replace("replications: 3", "seeds: [5, 9]").replace("seed: 5\n", "")
    )
    outcome = run_suite(scenario, tmp_path / "out", execution=Execution(workers=1))
    assert outcome.is_complete
    assert outcome.results().arms == ["B__gap_20s", "B__gap_30s"]
    assert sorted({run.seed for run in outcome.results().runs}) == [5, 9]
    figures = outcome.results().values()
    assert all(figures["B__gap_20s"]["served"][seed] > figures["B__gap_30s"]["served"][seed] for seed in (5, 9))


def test_more_replications_draw_their_own_values(tiny):
    scenario = tiny(DRAWN)
    few, many = gaps(select(scenario)), gaps(select(scenario, replications=5))
    assert few.items() <= many.items()
    assert all(many["A", seed] == many["B", seed] for seed in range(5, 10))
    assert len(set(many.values())) == 5
    with pytest.raises(DataError, match="must be 1 or more"):
        select(scenario, replications=0)


def test_drawn_values_are_part_of_a_runs_name(tiny):
    cases = select(tiny(DRAWN), ["A"])
    assert len({case.digest for case in cases}) == 3
    world = tiny(DRAWN).world("A", replication=2)
    assert world.assembly.options["shop"]["gap"] == cases[2].options["shop"]["gap"]


def test_the_scenario_may_turn_what_is_better(tmp_path, tiny):
    turned = "baseline: A, kpis: {wait_mean: {direction: higher}}"
    scenario = tiny(text=TEXT.replace("baseline: A, kpis: {wait_mean: {margin: 0.5 s}}", turned))
    outcome = run_suite(scenario, tmp_path / "out", execution=Execution(workers=1))
    (wait,) = [one for one in outcome.results().compare() if one.figure.name == "wait_mean"]
    assert (wait.figure.direction, wait.figure.margin, wait.verdict) == ("higher", 1.0, "worse")
    assert json.loads((outcome.folder / "suite.json").read_text())["compare"]["directions"] == {"wait_mean": "higher"}
