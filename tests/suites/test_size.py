"""The size of a suite is known before it runs: runs, time, disk, and what differs."""

from __future__ import annotations

import json

import pytest

from tests.suites.conftest import TEXT
from twin.errors import DataError
from twin.execution import suite_size
from twin.execution.execute import Execution
from twin.execution.suite import run_suite
from twin.execution.suite_size import refuse_if_larger, size_of, what_differs
from twin.scenario import load


@pytest.fixture
def measured(tmp_path, tiny):
    """Return the tiny scenario and the folder of its runs, each said to have taken 3 s."""
    scenario = tiny()
    run_suite(scenario, tmp_path / "out", execution=Execution(workers=1))
    for path in (tmp_path / "out").rglob("manifest.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "wall_s": 3.0}))
    return scenario, tmp_path / "out"


def test_earlier_runs_of_the_city_tell_time_and_disk(measured):
    scenario, out = measured
    size = size_of(scenario, out, workers=2)
    assert (size.arms, size.replications, size.runs, size.measured) == (2, 3, 6, 6)
    assert size.wall == pytest.approx(6 * 3 / 2)
    written = [sum(f["bytes"] for f in json.loads(p.read_text())["files"].values()) for p in out.rglob("manifest.json")]
    assert size.disk == pytest.approx(sum(written), rel=0.05)
    assert str(size).startswith("2 arms x 3 replications = 6 runs; about 9 s on 2 processes, ")
    assert str(size).endswith("(from 6 earlier runs)")


def test_runs_of_another_length_are_scaled(measured, tiny):
    _, out = measured
    longer = tiny(text=TEXT.replace("duration: 30 min", "duration: 1 h"))
    assert size_of(longer, out, workers=1).wall == pytest.approx(6 * 6)


def test_a_city_never_run_is_calibrated_and_says_so(tmp_path):
    scenario = load("nusantara")
    size = size_of(scenario, tmp_path / "nowhere", workers=1)
    case = scenario.cases(1)[0]
    hours = case.duration / 3.6e9
    assert size.wall == pytest.approx(20 * suite_size.SECONDS_PER_LINK_HOUR * case.city().rows("links") * hours)
    assert size.measured == 0
    assert "no run of this city to go by" in str(size)


def test_a_stopping_rule_counts_with_its_cap(tmp_path, tiny):
    scenario = tiny(text=TEXT.replace("replications: 3", "replications: {first: 4, cap: 9}"))
    assert size_of(scenario, tmp_path).replications == 9
    assert size_of(scenario, tmp_path, replications=2, arms=["A"]).runs == 2


def test_a_suite_larger_than_agreed_is_refused_with_its_cost(tmp_path, tiny):
    size = size_of(tiny(), tmp_path, workers=1)
    refuse_if_larger(size, 6, "tiny")
    with pytest.raises(DataError, match=r"2 arms x 3 replications = 6 runs; about .* start it with --yes"):
        refuse_if_larger(size, 5, "tiny")


def test_what_differs_has_the_shortest_clear_names(tiny):
    text = TEXT.replace("A: {}", "A: {record: {every: 2 min}}")
    text = text.replace("B: {policy: {shop: hurry_up}}", "B: {policy: {shop: hurry_up}, options: {shop: {gap: 9 s}}}")
    assert what_differs(tiny(text=text)) == {
        "A": "gap = 20 s, shop = idle, every = 2 min",
        "B": "gap = 9 s, shop = hurry_up, every = 1 min",
    }


def test_a_damaged_manifest_is_no_measure(measured):
    scenario, out = measured
    for path in out.rglob("manifest.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "wall_s": "soon"}))
    assert size_of(scenario, out).measured == 0
