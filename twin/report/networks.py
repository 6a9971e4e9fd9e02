"""Draw how the networks of a city stand at the end of a run: voltages of a grid, pressures of water."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from twin import plot
from twin.errors import DataError
from twin.report import data
from twin.report.pictures import Picture, draw_map

if TYPE_CHECKING:
    from twin.city import City
    from twin.report.data import Report

_FIRE_PRESSURE = 14.069
"""Least pressure (m) in mains while hydrants are used: 20 psi."""


def voltage(report: Report, city: City) -> Iterator[Picture]:
    """Draw the voltages of a grid alone at the end of the first replication, per arm."""
    for arm in report.shown if city.rows("buses") and not city.rows("nodes") else ():
        run = report.runs[arm][0]
        found = data.column_of(run, "buses", ("voltage_pu",), city.rows("buses"))
        if found is None:
            continue
        fed = found > 0
        least = f"lowest voltage {found[fed].min():.3f} per unit" if fed.any() else "no bus has power"
        runs = f"replication {run.replication}"
        caption = f"Voltage in {arm} at the end ({runs}): {least}, {int((~fed).sum())} buses without power."
        yield draw_map(report, (f"voltage_{arm}", arm, runs), caption, partial(plot.voltage_map, city, found))


def pressure(report: Report, city: City) -> Iterator[Picture]:
    """Draw the water pressure at the end of the first replication, per arm; in a city only where some had none."""
    from twin.plot.water import pressure_map

    for arm in report.shown if city.rows("junctions") and city.rows("pipes") else ():
        run = report.runs[arm][0]
        found = data.column_of(run, "junctions", ("pressure_m",), city.rows("junctions"))
        if found is None or (city.rows("nodes") and not _went_dry(report, arm)):
            continue
        runs = f"replication {run.replication}"
        low, cut = int((found < _FIRE_PRESSURE).sum()), found == 0
        caption = (
            f"Water in {arm} at the end ({runs}): {low} of {len(found)} junctions below {_FIRE_PRESSURE:g} m "
            f"(20 psi), {int(cut.sum())} of them without any pressure."
        )
        draw = partial(pressure_map, city, found, ~cut, title="Water pressure at the end")
        yield draw_map(report, (f"water_{arm}", arm, runs), caption, draw)


def _went_dry(report: Report, arm: str) -> bool:
    """Say whether persons of an arm were without water at some time."""
    try:
        frame = report.results.series("persons_without_water")
    except DataError:
        return False
    return bool((frame.loc[frame["arm"] == arm, "value"] > 0).any())
