"""The example of the manual's page on traffic runs and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "manual" / "traffic.md"


def test_the_example_prints_what_the_page_says(capsys):
    text = PAGE.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) < 15
    exec(compile(example, PAGE.name, "exec"), {})
    assert capsys.readouterr().out == printed
