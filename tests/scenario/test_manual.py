"""The manual's page on scenarios is true: its example runs, its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twin.scenario import keys, load
from twin.scenario.problems import CODES

PAGE = (Path(__file__).parents[2] / "docs" / "manual" / "scenario.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"(?s)```{language}\n(.*?)```", PAGE)[1]


def test_the_example_has_no_errors(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(block("yaml"), encoding="utf-8")
    scenario = load(path)
    assert [str(problem) for problem in scenario.check() if problem.is_error] == []
    cases = scenario.cases()
    assert [(case.arm, case.seed) for case in cases] == [("A", 1), ("A", 2), ("B", 1), ("B", 2)]
    assert all(event.targets for case in cases for event in case.events)


def test_the_python_example_runs(capsys):
    exec(compile(block("python"), "scenario.md", "exec"), {})
    assert "warning" in capsys.readouterr().out


def test_the_suite_is_what_the_page_says(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(re.findall(r"(?s)```yaml\n(.*?)```", PAGE)[1], encoding="utf-8")
    scenario = load(path)
    assert [str(problem) for problem in scenario.check() if problem.is_error] == []
    rules = ("first_come", "hospital_first")
    weather = ("unchanged", "long_night__calls_factor_1p5", "long_night__calls_factor_2")
    shares = ("informed_share_20pct", "informed_share_60pct")
    assert scenario.arms == tuple(f"{r}__{w}__{s}" for r in rules for w in weather for s in shares)
    drawn = {(case.arm, case.seed): case.options["emergency"]["dispatch_time"] for case in scenario.cases()}
    assert len(drawn) == 36
    assert [len({drawn[arm, seed] for arm in scenario.arms}) for seed in (1, 2, 3)] == [1, 1, 1]
    assert len(set(drawn.values())) == 3
    assert all(value < 120 for value in drawn.values())


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code):
    assert f"| {code} | {CODES[code]} |" in PAGE


@pytest.mark.parametrize("key", keys.TOP, ids=lambda key: key.name)
def test_every_key_is_explained(key):
    assert f"| `{key.name}` |" in PAGE
