"""The examples of the manual page on exact models give what they print."""

from __future__ import annotations

import doctest
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "manual" / "emergency_theory.md"


def test_the_examples_print_what_they_say():
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 15
    assert found.failed == 0


@pytest.mark.parametrize(
    "module",
    ["queues.erlang", "queues.abandonment", "queues.hypercube_model", "location.distance_law", "emergency.outcomes"],
)
def test_the_examples_of_docstrings_print_what_they_say(module):
    from importlib import import_module

    found = doctest.testmod(import_module(f"twin.models.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.data
@pytest.mark.skipif("TWIN_DATA" not in os.environ, reason="TWIN_DATA names no folder of real data")
def test_the_example_with_real_calls_runs():
    import matplotlib as mpl

    mpl.use("Agg")
    source = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)[0]
    names: dict[str, object] = {}
    exec(source.replace("$TWIN_DATA", os.environ["TWIN_DATA"]), names)
    assert names["fit"].calls > 10_000
    assert 200 < names["calls"].time.size < 500
