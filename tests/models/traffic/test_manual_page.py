"""The examples of the manual's page on traffic run and print what the page says."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "manual" / "traffic.md"


def test_the_examples_print_what_the_page_says(capsys):
    text = PAGE.read_text()
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    printed = re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) == len(printed) == 2
    for example, output in zip(examples, printed, strict=True):
        assert len([line for line in example.splitlines() if line.strip()]) < 15
        exec(compile(example, PAGE.name, "exec"), {})
        assert capsys.readouterr().out == output
