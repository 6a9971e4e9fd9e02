"""A quarter of the embedded city on a busy evening: calls, traffic, power, crews, a surge past and one to come."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import twin
from twin.city import City
from twin.contract import MINUTE
from twin.execution.run import assemble
from twin.world import World

AT = 40 * MINUTE
TEXT = """\
scenario: busy
title: A busy evening
city: {name: nusantara, scale: 0.25}
start: 2026-01-15 17:00
duration: 90 min
seed: 3
replications: 1
models: [hazards, power, backup, telecom, traffic, emergency, restoration]
feeds: [probes, avl, scada]
options: {emergency: {calls_factor: 20}, traffic: {demand_factor: 0.3}}
policy: {dispatch: closest_idle, signals: fixed_time, restoration: first_come}
events:
  - {at: +10 min, kind: storm, where: all, probability: 0.06, duration: 20 min}
  - {at: +30 min, kind: surge, where: all, calls: 8, duration: 30 min}
  - {at: +55 min, kind: surge, where: all, calls: 8, duration: 10 min}
"""


@cache
def case():
    with TemporaryDirectory() as folder:
        path = Path(folder) / "busy.yaml"
        path.write_text(TEXT)
        return twin.load(path).cases()[0]


@cache
def city() -> City:
    """Return the city with as many more units and bays as it has more calls."""
    plain = case().city()
    tables = {name: dict(table) for name, table in plain.tables.items()}
    tables["stations"]["units"] = 5 * np.asarray(tables["stations"]["units"])
    tables["hospitals"]["bays"] = 5 * np.asarray(tables["hospitals"]["bays"])
    place = (plain.name, plain.title, plain.driving_side, plain.timezone, plain.crs)
    return City(*place, tables, plain.parameters, plain.provenance, plain.report)


@cache
def live() -> World:
    """Return the world at the branch instant; tests must leave it as it is."""
    return World(assemble(case(), city())).run(AT)


def from_start(at: int = AT) -> World:
    """Return another world, set up anew and run from its start."""
    return World(assemble(case(), city())).run(at)
