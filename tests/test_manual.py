"""The examples of the manual run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import twin
from twin.execution.run import assemble
from twin.world import World

MANUAL = Path(__file__).parent.parent / "docs" / "manual"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (MANUAL / page).read_text(), flags=re.DOTALL)


def lines_of_class(source: str) -> int:
    body = source[source.index("class ") :]
    return len([line for line in body.splitlines() if line.strip()])


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """Return one folder for all tests: a component's name belongs to one file."""
    return tmp_path_factory.mktemp("plugins")


@pytest.fixture
def world_of(tmp_path, plugins):
    def make(page: str, file: str, arm: str = "") -> World:
        plugin = plugins / file
        plugin.write_text(blocks(page, "python")[0])
        scenario = tmp_path / "scenario.yaml"
        scenario.write_text(blocks(page, "yaml")[0] + "duration: 150 min\nreplications: 1\n")
        cases = twin.load(scenario, plugins=(str(plugin),)).cases()
        return World(assemble(next(c for c in cases if not arm or c.arm == arm)))

    return make


def test_the_policy_has_less_than_30_lines_and_sends_units(world_of):
    assert lines_of_class(blocks("policy.md", "python")[0]) < 30
    world = world_of("policy.md", "nearest_by_air.py", "B").run()
    orders = [row for row in world.events.rows() if row[1] == "order.dispatch"]
    assert len(orders) > 10
    assert world.kpis()["calls_served"] > 3


def test_the_utility_model_has_less_than_60_lines_and_goes_dark(world_of):
    assert lines_of_class(blocks("model.md", "python")[0]) < 60
    world = world_of("model.md", "street_lights.py").run()
    assert world.kpis()["dark_street_km_h"] > 1
    assert any(row[1] == "lights_changed" for row in world.events.rows())


def test_the_model_of_the_manual_keeps_the_law(world_of, tmp_path):
    whole = world_of("model.md", "street_lights.py").run()
    cut = World(whole.assembly).run("97 min")
    again = World.load(cut.save(tmp_path / "cut"), whole.assembly).run()
    assert again.digest() == whole.digest()
    assert repr(again.kpis()) == repr(whole.kpis())
