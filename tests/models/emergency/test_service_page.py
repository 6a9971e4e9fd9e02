"""The example of the manual's page on the emergency service runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "manual" / "emergency.md"


@pytest.mark.data
def test_the_examples_of_the_page_run(capsys):
    data = os.environ.get("TWIN_DATA")
    if not data:
        pytest.skip("TWIN_DATA is not set")
    import matplotlib as mpl

    mpl.use("Agg")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks[0].splitlines()) < 18
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    said = capsys.readouterr().out
    means = [float(word) for word in re.findall(r"([\d.]+) min", said)]
    assert len(means) == 2
    assert all(5 < mean < 20 for mean in means)
    assert said.count("station") >= 1
