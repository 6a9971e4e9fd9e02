"""A tiny suite on disk: a city of three nodes, a scenario with two arms, a plugin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.toys import toy_city
from twin.scenario import load

PLUGIN = Path(__file__).with_name("toy_parts.py")
TEXT = """\
scenario: tiny
title: A shop with one till
city: {folder: city}
start: 2026-01-15 17:00
duration: 30 min
seed: 5
replications: 3
models: [shop]
options: {shop: {OPTIONS}}
policy: {shop: idle}
record: {every: 1 min}
events:
  - {at: +20 min, kind: rain, where: {id: [n1]}}
arms:
  A: {}
  B: {policy: {shop: hurry_up}}
compare: {baseline: A, kpis: {wait_mean: {margin: 0.5 s}}}
expect: ["A.served > 10"]
"""


def write_scenario(folder: Path, options: str = "gap: 20 s", text: str = TEXT) -> Path:
    """Write the tiny scenario and its city; return the scenario's file."""
    toy_city().save(folder / "city")
    path = folder / "tiny.yaml"
    path.write_text(text.replace("OPTIONS", options))
    return path


@pytest.fixture
def tiny(tmp_path):
    """Return a function that loads the tiny scenario with options of the shop."""

    def make(options: str = "gap: 20 s", text: str = TEXT):
        return load(write_scenario(tmp_path, options, text), plugins=[PLUGIN])

    return make


@pytest.fixture
def suite(made, tmp_path):
    """Return a copy of the suite that a module made, for a test that may damage it."""
    return shutil.copytree(made, tmp_path / "out" / "tiny")
