"""The page on power names what there is, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

from twin.models.power import Power

PAGE = (Path(__file__).parents[2] / "docs" / "manual" / "power.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys):
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], {})
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("sweep ")
    assert second.startswith("(24, ")


def test_every_event_of_scenarios_is_on_the_page():
    missing = [kind.name for kind in Power.events if kind.scenario and f"`{kind.name}`" not in PAGE]
    assert missing == []


def test_every_figure_is_on_the_page():
    missing = [kpi.name for kpi in Power.kpi_list if kpi.name not in PAGE]
    assert missing == []
