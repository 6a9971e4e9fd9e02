"""Say what share of customers and persons is served over time in every arm of a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.errors import DataError
from twin.plot.series import Curve
from twin.report.data import column_of, curve_of

if TYPE_CHECKING:
    from twin.city import City
    from twin.report.data import Report

_SERVED = (
    ("customers_without_power", "buses", "customers", "Customers with power"),
    ("persons_without_water", "junctions", "population", "Persons with water"),
)


def served(report: Report) -> dict[str, list[Curve]]:
    """Return title -> shares served in every arm over time, of the services that some arm loses."""
    if report.city is None:
        return {}
    try:
        frame = report.results.series()
    except DataError:
        return {}
    found = {}
    for name, table, column, title in _SERVED:
        total = _all_of(report, report.city, table, column)
        arms = [arm for arm in report.runs if ((frame["name"] == name) & (frame["arm"] == arm)).any()]
        curves = [curve_of(report, frame, name, arm) for arm in arms] if total > 0 else []
        shares = [Curve(curve.arm, curve.time, 1.0 - curve.values / total) for curve in curves]
        if any((curve.values < 1.0).any() for curve in shares):
            found[title] = shares
    return found


def _all_of(report: Report, city: City, table: str, column: str) -> float:
    """Return how many a service has: as the city counts them, else as the model of the run took them."""
    if table in city and column in city[table]:
        return float(city[table][column].sum())
    assumed = column_of(report.runs[report.baseline][0], table, ("persons",), city.rows(table))
    return 0.0 if assumed is None else float(assumed.sum())
