"""Replications are added until judged figures are precise, and the run of it can be read back."""

from __future__ import annotations

import json

from tests.suites.conftest import TEXT
from twin.execution.execute import Execution
from twin.execution.suite import can_stage, run_suite
from twin.stats.sequential import is_precise

ALIKE = TEXT.replace("hurry_up", "idle")
ONE = Execution(workers=1)


def staged(text, first, cap, margin="0.5 s"):
    rule = f"replications: {{first: {first}, cap: {cap}}}"
    return text.replace("replications: 3", rule).replace("margin: 0.5 s", f"margin: {margin}")


def test_identical_policies_stop_after_the_first_stage_and_are_the_same(tmp_path, tiny):
    outcome = run_suite(tiny(text=staged(ALIKE, 4, 9)), tmp_path / "out", execution=ONE)
    assert (outcome.stopped.replications, outcome.stopped.stages, outcome.stopped.precise) == (4, 1, True)
    assert [(c.verdict, c.family_verdict) for c in outcome.stopped.comparisons] == [("same", "inconclusive")]
    assert len(outcome.records) == 8


def test_a_narrow_margin_runs_into_the_cap(tmp_path, tiny):
    outcome = run_suite(tiny(text=staged(TEXT, 3, 7, "1 ms")), tmp_path / "out", execution=ONE)
    assert (outcome.stopped.replications, outcome.stopped.precise) == (7, False)
    assert [(r.arm, r.replication) for r in outcome.records] == [(a, i) for a in "AB" for i in range(7)]
    listed = json.loads((outcome.folder / "suite.json").read_text())
    assert len(listed["runs"]) == 14
    assert listed["compare"]["judged"] == ["wait_mean"]


def test_it_stops_once_the_margin_is_resolved(tmp_path, tiny):
    outcome = run_suite(tiny(text=staged(TEXT, 5, 60, "5 s")), tmp_path / "out", execution=ONE)
    assert outcome.stopped.precise
    assert 5 < outcome.stopped.replications < 60
    shown = [c for c in outcome.results().compare() if c.figure.name == "wait_mean"]
    assert shown == list(outcome.stopped.comparisons)
    assert is_precise(shown[0])


def test_stages_give_the_runs_of_a_fixed_number(tmp_path, tiny):
    rising = run_suite(tiny(text=staged(TEXT, 2, 4, "1 ms")), tmp_path / "rising", execution=ONE)
    fixed = run_suite(tiny(text=TEXT.replace("replications: 3", "replications: 4")), tmp_path / "fixed", execution=ONE)
    assert [r.figures for r in rising.records] == [r.figures for r in fixed.records]


def test_a_failed_run_ends_the_stages(tmp_path, tiny):
    scenario = tiny("gap: 20 s, fail_at: 700 s", text=staged(TEXT, 2, 9))
    outcome = run_suite(scenario, tmp_path / "out", execution=ONE)
    assert len(outcome.records) == 4
    assert not outcome.is_complete
    assert outcome.stopped.comparisons == ()


def test_one_arm_has_nothing_to_judge(tmp_path, tiny):
    arms = TEXT[TEXT.index("arms:") : TEXT.index("compare:")]
    alone = staged(TEXT, 2, 9).replace(arms, "").replace("{baseline: A, kpis", "{kpis").replace("A.served", "served")
    outcome = run_suite(tiny(text=alone), tmp_path / "out", execution=ONE)
    assert (len(outcome.records), outcome.stopped.comparisons) == (2, ())


THREE = TEXT.replace("  B: {policy", "  C: {}\n  B: {policy")


def test_stages_of_some_arms_run_only_those(tmp_path, tiny):
    scenario = tiny(text=staged(THREE, 2, 4, "1 ms"))
    assert [can_stage(scenario, arms) for arms in ((), ("A", "B"), ("A",), ("B", "C"))] == [True, True, False, False]
    outcome = run_suite(scenario, tmp_path / "out", execution=ONE, arms=["A", "B"])
    assert (outcome.stopped.replications, len(outcome.stopped.comparisons)) == (4, 1)
    assert [(r.arm, r.replication) for r in outcome.records] == [(a, i) for a in "AB" for i in range(4)]


def test_stages_judge_all_arms_together(tmp_path, tiny):
    outcome = run_suite(tiny(text=staged(THREE, 3, 6, "1 ms")), tmp_path / "out", execution=ONE)
    shown = outcome.results().compare_all("A")
    assert list(shown) == ["B", "C"]
    judged = [one for rows in shown.values() for one in rows if one.figure.name == "wait_mean"]
    assert {one.figure.name for one in outcome.stopped.comparisons} == {"wait_mean"}
    assert sorted(judged, key=str) == sorted(outcome.stopped.comparisons, key=str)
    pair = outcome.results().compare("A", "B")[0]
    assert judged[0].p_family > pair.p_family
