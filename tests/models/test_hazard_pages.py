"""The manual's pages on hazards and restoration are true: their examples run, their tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import twin
from twin import registry

MANUAL = Path(__file__).parents[2] / "docs" / "manual"


def page(name):
    return (MANUAL / name).read_text(encoding="utf-8")


def test_the_bad_week_is_a_scenario_and_rain_reaches_the_streets(tmp_path):
    path = tmp_path / "bad_week.yaml"
    path.write_text(re.findall(r"(?s)```yaml\n(.*?)```", page("hazards.md"))[0], encoding="utf-8")
    scenario = twin.load(path)
    assert [str(problem) for problem in scenario.check() if problem.is_error] == []
    assert scenario.title == "A bad week for Nusantara"
    assert [event.kind for event in scenario.cases()[0].events] == ["rain", "windstorm", "earthquake", "heat_wave"]
    world = scenario.world("A").run("40 min")
    assert world.state["node.water"].max() > 0
    assert world.state["hazard_count.struck"][0] > 0
    assert not [text for text in world.check() if text.startswith(("drainage", "hazards", "restoration", "service"))]


def test_every_scenario_event_of_hazards_and_drainage_is_in_the_table():
    told = set(re.findall(r"`(\w+)`", page("hazards.md")))
    for name in ("hazards", "drainage"):
        kinds = {kind.name for kind in registry.get("model", name).events if kind.scenario}
        assert kinds <= told


def test_every_rule_of_restoration_is_in_the_table():
    told = set(re.findall(r"(?m)^\| `(\w+)` \|", page("restoration.md")))
    assert set(registry.policies("restoration")) == told


def test_the_report_of_the_page_prints(capsys):
    source = re.findall(r"(?s)```python\n(.*?)```", page("restoration.md"))[0]
    exec(compile(source, "restoration.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert {"SAIDI, min", "WSA", "hospitals on backup, h", "Gini of outages"} <= {line[:36].strip() for line in said}
