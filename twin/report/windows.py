"""Say which stretches of a run its pictures shade: floods, outages, and the moments of other events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import DataError
from twin.plot.series import BLACKOUT_SHADE, CLOSURE_SHADE, FLOOD_SHADE, Window

if TYPE_CHECKING:
    from twin.report.data import Report

Array = np.ndarray[Any, Any]

_LASTING = {
    "flood": ("rise", "hold", "fall"), "road_closure": ("duration",), "lane_closure": ("duration",),
    "speed_limit": ("duration",),
}  # fmt: skip
"""Kinds of event that are shaded, and the params that add up to how long they last."""


def windows(report: Report) -> list[Window]:
    """Return floods and outages to shade, and the moments of the scenario's other events, in local time."""
    found = [_hazard(report, event) for event in report.manifest["case"].get("events", [])]
    return found + _outage(report)


def _hazard(report: Report, event: dict[str, Any]) -> Window:
    """Return how long a flood or a closure of roads lasts; of any other event its beginning."""
    given, kind = event.get("params", {}), str(event["kind"])
    lengths = [given.get(name) for name in _LASTING.get(kind, ())]
    seconds = sum(float(length) for length in lengths if isinstance(length, int | float))
    begin = int(event["time"])
    end = min(begin + int(seconds * 1e6), int(report.manifest["duration_us"]))
    shade = FLOOD_SHADE if kind == "flood" else CLOSURE_SHADE
    return Window(kind.replace("_", " ").capitalize(), report.moment(begin), report.moment(end), shade)


def closures(report: Report) -> list[int]:
    """Return the rows of the links that the scenario of the baseline closes, each once."""
    events = report.manifest["case"].get("events", [])
    return sorted({int(row) for event in events if event["kind"] == "road_closure" for row in event["targets"]})


def _outage(report: Report) -> list[Window]:
    """Return the stretch in which customers of some arm are without power on average.

    It begins and ends with the events next to the samples, where they are recorded: samples alone are too coarse.
    What is dark in the last sample stays so to the end of the run.
    """
    try:
        frame = report.results.series("customers_without_power")
    except DataError:
        return []
    frame = frame[frame["arm"].isin(report.shown)]
    mean = frame.groupby("local")["value"].mean()
    dark = mean.index[mean.to_numpy() > 0.01 * max(float(mean.max()), 1.0)]
    if not len(dark):
        return []
    times = mean.index.to_numpy()
    inside = np.isin(times, dark.to_numpy())
    first, last = int(np.argmax(inside)), len(times) - 1 - int(np.argmax(inside[::-1]))
    before = times[first - 1] if first else report.moment(0)
    lit = last + 1 < len(times)
    after = times[last + 1] if lit else report.moment(int(report.manifest["duration_us"]))
    begun, ended = _power_moments(report)
    begun, ended = begun[(begun >= before) & (begun <= times[first])], ended[(ended > times[last]) & (ended <= after)]
    begin = begun.min() if begun.size else times[first]
    return [Window("Power out", begin, ended.max() if lit and ended.size else after, BLACKOUT_SHADE)]


def _power_moments(report: Report) -> tuple[Array, Array]:
    """Return the local moments of all outages and of all returns of supply in the runs of the pair."""
    import pyarrow.parquet

    found: dict[str, set[int]] = {"outage": set(), "supply_back": set()}
    for run in (run for arm in report.shown for run in report.runs[arm]):
        path = run.folder / "events" / "events.parquet"
        if path.is_file():
            wanted = [("kind", "in", list(found))]
            table = pyarrow.parquet.read_table(path, columns=["kind", "time"], filters=wanted)
            for kind, time in zip(table["kind"].to_pylist(), table["time"].to_pylist(), strict=True):
                found[kind].add(int(time))
    begun, ended = (np.array([report.moment(t) for t in sorted(s)], dtype="datetime64[us]") for s in found.values())
    return begun, ended
