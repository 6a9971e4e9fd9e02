"""Take from a folder of results what a report shows, as arrays and plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import DataError, TwinError
from twin.plot.series import Curve
from twin.stats import UNMEASURED

if TYPE_CHECKING:
    from twin.city import City
    from twin.results import Results, Run
    from twin.stats import Comparison

Array = np.ndarray[Any, Any]

PANELS = {
    "customers_without_power": "Customers without power",
    "mean_speed": "Mean speed of traffic, km/h",
    "vehicles_on_road": "Vehicles on the road or waiting to enter",
    "calls_waiting": "Emergency calls waiting for a unit",
    "units_busy": "Units on calls",
}
"""Series of the story, in order, with their titles; others are shown when these are missing."""

FIRST = ("response_mean", "response_p90", "late_share", "vehicle_hours", "customer_minutes_lost")
"""Figures that a report shows first, in this order."""

_MOST_PANELS = 4
_MOST_ARMS = 8
"""Arms beyond which pictures show the first two only: curves and maps of more are not told apart."""


@dataclass(frozen=True)
class Report:
    """Results with the pair of arms that a report shows first.

    baseline, arm  names; equal when there is only one arm
    city           None when no readable copy lies beside the runs
    """

    results: Results
    baseline: str
    arm: str
    city: City | None

    @cached_property
    def runs(self) -> dict[str, list[Run]]:
        """Return the complete runs of every arm, by replication."""
        arms: dict[str, list[Run]] = {name: [] for name in (self.baseline, self.arm, *self.results.arms)}
        for run in self.results.complete:
            arms[run.arm].append(run)
        return arms

    @property
    def pair(self) -> list[str]:
        """Return baseline and arm, or the only one."""
        return [self.baseline] if self.baseline == self.arm else [self.baseline, self.arm]

    @property
    def shown(self) -> list[str]:
        """Return the arms that pictures compare: all, baseline first, or the pair where they are too many."""
        return list(self.runs) if len(self.runs) <= _MOST_ARMS else self.pair

    @property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the baseline's first run."""
        return dict(self.runs[self.baseline][0].manifest)

    @property
    def title(self) -> str:
        """Return the title of the suite."""
        manifest = self.manifest
        return str(self.results.suite.get("title") or manifest.get("title") or manifest["suite"])

    @property
    def zone(self) -> str:
        """Return the time zone of the city, as an IANA name."""
        return str(self.manifest["city"]["timezone"])

    @property
    def start(self) -> int:
        """Return the start of the runs, UTC us since 1970."""
        return int(self.manifest["case"]["start"])

    def local(self, time: int) -> str:
        """Return us since the start as local time with the zone's abbreviation."""
        from twin.units import format_local

        clock, _, zone = format_local(self.start + int(time), self.zone).rpartition(" ")
        return f"{clock} {self._zone_name(time) if zone.startswith(('+', '-')) else zone}"

    def _zone_name(self, time: int) -> str:
        """Return the name that the time zone has at a moment, such as EET, or its offset where it has none."""
        from datetime import UTC, datetime, timedelta
        from zoneinfo import ZoneInfo

        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.start + int(time))
        return moment.astimezone(ZoneInfo(self.zone)).strftime("%Z")

    def period(self) -> str:
        """Return the simulated stretch of local time in words, such as 2026-01-15 17:00 to 23:00 WITA."""
        first, last = self.local(0), self.local(int(self.manifest["duration_us"]))
        day, hour, _ = first.split(" ", 2)
        last_day, last_hour, zone = last.split(" ", 2)
        until = last_hour[:5] if day == last_day else f"{last_day} {last_hour[:5]}"
        return f"{day} {hour[:5]} to {until} {zone}"

    def moment(self, time: int) -> np.datetime64:
        """Return us since the start as a local wall-clock instant."""
        return np.datetime64("T".join(self.local(time).split(" ")[:2]), "us")

    def averaged(self, arm: str = "") -> str:
        """Return over which runs of an arm (default the baseline) a mean is taken, in words."""
        runs = self.runs[arm or self.baseline]
        return f"mean over {len(runs)} replications" if len(runs) > 1 else f"replication {runs[0].replication}"

    def policies(self, arm: str) -> str:
        """Return the policies of an arm in words."""
        chosen = self.runs[arm][0].manifest["case"].get("policies", {})
        return ", ".join(str(name).replace("_", " ") for _, name in sorted(chosen.items()))


def read_report(results: Results) -> Report:
    """Return what to show of results: which arms, and their city.

    Raises DataError when no run is complete.
    """
    if not results.complete:
        raise DataError(f"no complete run in {results.folder} to report on; see: twin results ls {results.folder}")
    arms = results.arms
    named = str((results.suite.get("compare") or {}).get("baseline") or "")
    baseline = named if named in arms else arms[0]
    others = [name for name in arms if name != baseline]
    try:
        city: City | None = results.city()
    except TwinError:
        city = None
    return Report(results, baseline, others[0] if others else baseline, city)


def comparisons(report: Report) -> dict[str, list[Comparison]]:
    """Return the comparisons of every other arm with the baseline, by arm, in reading order.

    A figure without a finite value in either arm is marked as not measured instead of judged.
    """
    if len(report.results.arms) < 2:
        return {}
    place = {name: number for number, name in enumerate(FIRST)}
    return {
        arm: sorted(
            (replace(one, verdict=one.reason, reason="") if one.reason == UNMEASURED else one for one in rows),
            key=lambda one: place.get(one.figure.name, len(place)),
        )
        for arm, rows in report.results.compare_all(report.baseline).items()
    }


def headline(report: Report, found: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons of the figures that the scenario names, all where it names none."""
    compared = (report.results.suite.get("scenario") or {}).get("compare") or {}
    named = compared.get("kpis") or {} if isinstance(compared, dict) else {}
    return [one for one in found if one.figure.name in named] or list(found)


def meanings(report: Report) -> dict[str, str]:
    """Return figure -> what it means, as the models declare it."""
    frame = report.results.kpis()
    return dict(zip(frame["kpi"].tolist(), frame["meaning"].tolist(), strict=True)) if "meaning" in frame else {}


def panels(report: Report) -> dict[str, list[Curve]]:
    """Return title -> curves of the arms that are shown, for the figures that tell the story."""
    try:
        frame = report.results.series()
    except DataError:
        return {}
    known = list(frame["name"].unique())
    chosen = [name for name in PANELS if name in known]
    chosen += [name for name in known if name not in PANELS]
    from twin.wording import readable

    return {
        PANELS.get(name, readable(name)): [curve_of(report, frame, name, arm) for arm in report.shown]
        for name in chosen[:_MOST_PANELS]
    }


def curve_of(report: Report, frame: Any, name: str, arm: str) -> Curve:
    """Return one series of an arm as a curve with a row per replication; the last sample holds to the end."""
    rows = frame[(frame["name"] == name) & (frame["arm"] == arm)]
    wide = rows.pivot_table(index="local", columns="replication", values="value", aggfunc="last", dropna=False)
    time, values = wide.index.to_numpy(), wide.to_numpy(dtype=np.float64).T
    end = report.moment(int(report.manifest["duration_us"]))
    if len(time) and end > time[-1]:
        time, values = np.append(time, end), np.column_stack([values, values[:, -1]])
    return Curve(arm, time, values)


def mean_column(report: Report, arm: str, folder: str, names: Sequence[str], rows: int) -> Array | None:
    """Return a column of per-row results averaged over the replications of an arm.

    folder  folder below a run, such as "links"
    names   names the column may have, first found wins
    rows    length it must have, so that it fits the city's table
    """
    values = [column_of(run, folder, names, rows) for run in report.runs[arm]]
    found = [value for value in values if value is not None]
    if not found:
        return None
    stacked = np.stack(found)
    counts = np.isfinite(stacked).sum(axis=0)
    out: Array = np.divide(np.nansum(stacked, axis=0), counts, out=np.full(rows, np.nan), where=counts > 0)
    return out


def column_of(run: Run, folder: str, names: Sequence[str], rows: int) -> Array | None:
    """Return the first fitting column in the Parquet files of a folder below a run."""
    import pyarrow.parquet

    for path in sorted((run.folder / folder).glob("*.parquet")):
        schema = pyarrow.parquet.read_schema(path)
        for name in names:
            if name in schema.names:
                column = pyarrow.parquet.read_table(path, columns=[name])[name].to_numpy()
                if len(column) == rows:
                    return np.asarray(column, dtype=np.float64)
    return None


def calls(report: Report, arm: str) -> dict[str, Array] | None:
    """Return node, response (s), late and, where recorded, end of the calls in the first replication of an arm."""
    import pyarrow.parquet

    path = report.runs[arm][0].folder / "incidents" / "calls.parquet"
    if not path.is_file() or report.city is None:
        return None
    table = pyarrow.parquet.read_table(path)
    names = {"node": ("node",), "response": ("response", "response_s"), "late": ("late",)}
    found = {key: next((n for n in options if n in table.column_names), "") for key, options in names.items()}
    if not all(found.values()):
        return None
    if "end" in table.column_names:
        found["end"] = "end"
    out = {key: table[name].to_numpy(zero_copy_only=False) for key, name in found.items()}
    if out["node"].dtype.kind == "O":
        out["node"] = np.array([report.city.row("nodes", str(name)) for name in out["node"]], dtype=np.int64)
    inside = (out["node"] >= 0) & (out["node"] < report.city.rows("nodes"))
    return {key: column[inside] for key, column in out.items()}
