"""Rain that does not soak away stands in the streets until drains have carried it to the river.

The city is cut into square cells. Rain on a cell: a share `runoff` runs off, the rest soaks away at
once. What runs off stands level in the cell, over the ground that its street nodes show (each stands
for an equal part of the cell), and drains to the lowest neighbouring cell, or to the river where none
is lower. Drains and channels are built for a design rain: they carry its runoff from all that lies
upstream of them. Nothing flows while the water ahead stands as high, or the river over the outlet.

What this leaves out: flow over the surface between cells, time of travel (a step moves water through
several cells), slopes of the water surface, sewers under pressure, pumping, water from the river back
through the drains. What falls is either soaked away, stands, or has reached the river, to 1e-9.

Where water begins to stand, `drains_full` names the rain, and what blocks the drains there.
Depth at a street node = max(0, level - elevation). `hazards` reads it and closes roads, and wets
substations, as it does for river floods; the deeper of both counts.

Source of the runoff: the rational method, Q = C i A, with C by land use: ASCE Manual of Practice 77.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import MINUTE, SECOND, Event, EventKind, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.drainage_cells import Cells
from twin.models.gauges import Gauge, clock, read_gauge
from twin.models.scenario_events import microseconds, numbers_of
from twin.models.standing import Standing

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_RAIN = (
    Option("intensity", "rain on the area, for example 60 mm/h", "quantity", None, "m/s", low=0.0, high=1e-3),
    Option("duration", "how long it rains", "quantity", None, "s", low=1.0),
)
_BLOCKED = (
    Option("share", "of the capacity that is lost", default=1.0, low=0.0, high=1.0),
    Option("duration", "until it is cleared", "quantity", None, "s", low=1.0),
)
_MILLIMETRE = 3


class Drainage(Model):
    """Rain, runoff, drains and channels, and the river they lead to."""

    name = "drainage"
    owns = (
        Field("node.water", "float64", "m", "depth of rain water on the street, to the millimetre", traced=True),
        Field("drain.volume", "float64", "m3", "water that stands in a cell"),
        Field("drain.level", "float64", "m", "level of the water in a cell"),
        Field("drain.blocked", "float64", "1", "share of its capacity that is lost"),
        Field("drain.blocked_by", "int64", "1", "event that blocked its drains, -1 for none", -1),
        Field("drain.full_event", "int64", "1", "event that says its drains are full, -1 while they are not", -1),
        Field("blockage.lasts", "bool", "1", "a blockage of the scenario is in force"),
        Field("rain.event", "int64", "1", "event of a rain that falls now, -1 for none", -1),
        Field("rain.start", "int64", "us", "when it began, -1 for not yet", -1),
        Field("rain.stop", "int64", "us", "when it ends or ended"),
        Field("drain_sum.fallen", "float64", "m3", "rain so far"),
        Field("drain_sum.soaked", "float64", "m3", "of it soaked away"),
        Field("drain_sum.discharged", "float64", "m3", "of it reached the river"),
        Field("drain_sum.most", "float64", "m3", "greatest volume that stood"),
        Field("drain_sum.latest", "int64", "1", "event of the latest rain, -1 for none", -1),
        Field("drain_sum.runs", "bool", "1", "a next step is due"),
    )
    requires = ("nodes",)
    events = (
        EventKind("rain", "rain falls on an area", "nodes", _RAIN, scenario=True),
        EventKind("drain_blockage", "drains of an area are blocked", "nodes", _BLOCKED, scenario=True),
        EventKind("rain_end", "a rain is over"),
        EventKind("drain_cleared", "blocked drains are cleared"),
        EventKind("drain_step", "water runs on for a step", quiet=True),
    )
    tells = (EventKind("drains_full", "the drains of a cell are full, and water stands", "drain", unit="m3"),)
    options = (
        Option("cell", "edge of a cell (assumption)", "quantity", 500.0, "m", low=50.0),
        Option("runoff", "share of rain that runs off (assumption: dense districts)", default=0.7, low=0.0, high=1.0),
        Option("design", "rain that drains are built for (assumption)", "quantity", 50 / 3.6e6, "m/s", low=0.0),
        Option("every", "length of a step", "quantity", 60.0, "s", low=1.0, high=3600.0),
        Option("gauge", "table of recorded river levels, none for a river at its normal level", "path", ""),
        Option("station", "station of that table", "text", ""),
        Option("gauge_from", "reading of the gauge's clock at the start of the run; its own date if empty", "text", ""),
    )
    kpi_list = (
        Kpi("standing_water_max", "m3", "lower", "greatest volume of rain that stood in the streets", 100.0),
        Kpi("drained_share", "1", "higher", "share of the runoff that has reached the river, 1 without rain", 0.01),
    )
    series = (
        Kpi("standing_water", "m3", "lower", "rain that stands in the streets", 1.0),
        Kpi("river_rise", "m", "lower", "river over its normal level", 0.01),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Cut the city into cells and read the gauge."""
        options = setup.options
        self.planned, self.run = setup.events, setup
        self.runoff, self.every = float(options["runoff"]), microseconds(options["every"])
        self.cells = Cells.of(setup.city, float(options["cell"]))
        self.capacity = float(options["design"]) * self.runoff * self.cells.upstream
        self.rains = numbers_of("rain", setup.events)
        nodes = Standing.of("drain_blockage", setup.events, lambda given: given["share"])
        self.blockages = replace(nodes, targets=[np.unique(self.cells.of_node[rows]) for rows in nodes.targets])
        self.gauge, self.gauge_start = _gauge(setup)
        return {
            "node": setup.city.rows("nodes"),
            "drain": self.cells.down.shape[0],
            "rain": len(self.rains),
            "blockage": len(self.blockages.number),
            "drain_sum": 1,
        }

    def start(self, view: View) -> None:
        """Begin dry."""
        view.put("drain.level", slice(None), self.cells.bottom)

    def river(self, instant: int) -> float:
        """Return the river over its normal level (m) at an instant of the run."""
        return 0.0 if self.gauge is None else self.gauge.rise(self.gauge_start + instant)

    def on_event(self, view: View, event: Event) -> None:
        """Begin or end a rain, block or clear drains, or let the water run on."""
        if event.kind == "drain_step":
            self._run_on(view)
            return
        if event.kind in ("rain", "rain_end"):
            row = self.rains.index(event.data)
            view.put("rain.event", row, event.id if event.kind == "rain" else -1)
            if event.kind == "rain":
                lasts = microseconds(event.params["duration"])
                view.put("rain.start", row, view.now)
                view.put("rain.stop", row, view.now + lasts)
                view.put("drain_sum.latest", 0, event.id)
                view.schedule("rain_end", lasts, data=event.data)
                self._begin(view)
            return
        begins = event.kind == "drain_blockage"
        view.put("blockage.lasts", self.blockages.row(event), begins)
        blocked = self.blockages.highest(view["blockage.lasts"], view.rows("drain"))
        changed = view.put("drain.blocked", slice(None), blocked)
        view.put("drain.blocked_by", changed, np.where(blocked[changed] > 0, event.id, -1))
        if begins:
            view.schedule("drain_cleared", microseconds(event.params["duration"]), data=event.data)

    def _begin(self, view: View) -> None:
        if not view["drain_sum.runs"][0]:
            view.put("drain_sum.runs", 0, True)
            view.schedule("drain_step", self.every)

    def _run_on(self, view: View) -> None:
        """Let the rain of the step that ends now fall and drain, in slices of a minute at most."""
        slices = -(-self.every // MINUTE)
        for k in range(slices):
            ends = [view.now - self.every + self.every * i // slices for i in (k, k + 1)]
            self._drain(view, *ends)
        cells, volume, level = self.cells, view["drain.volume"], view["drain.level"]
        standing = float(volume.sum())
        depth = np.round(np.maximum(level[cells.of_node] - cells.elevation, 0.0), _MILLIMETRE)
        behind = self._tell(view, volume > 0)
        view.put("node.water", slice(None), np.where(volume[cells.of_node] > 0, depth, 0.0), behind[cells.of_node])
        goes_on = standing > 0 or bool((view["rain.event"] >= 0).any())
        view.put("drain_sum.runs", 0, goes_on)
        if goes_on:
            view.schedule("drain_step", self.every, cause=self._latest(view))

    def _drain(self, view: View, begin: int, end: int) -> None:
        """Add the rain between two instants (us) and let it run on; capacity serves what has fallen by then."""
        from twin.kernels.drainage import route

        cells, step = self.cells, (end - begin) / SECOND
        fallen = self._fallen(view, begin, end)
        total = float(fallen.sum())
        view.raw("drain_sum.fallen")[0] += total
        view.raw("drain_sum.soaked")[0] += total - float((self.runoff * fallen).sum())
        volume, level = view.raw("drain.volume"), view.raw("drain.level")
        volume += self.runoff * fallen
        capacity = self.capacity * (1.0 - view["drain.blocked"])
        river, ground = self.river(end), (cells.ground, cells.first, cells.count, cells.area)
        out = route(cells.order, cells.down, capacity, cells.outlet, river, step, *ground, volume, level)
        view.raw("drain_sum.discharged")[0] += out
        view.raw("drain_sum.most")[0] = max(float(view["drain_sum.most"][0]), float(volume.sum()))

    def _tell(self, view: View, standing: Array) -> Array:
        """Log where drains have become full; return the event behind the water of each cell."""
        full = view["drain.full_event"]
        behind = np.where(full >= 0, full, self._latest(view))
        for cell in np.flatnonzero(standing & (full < 0)).tolist():
            causes = [self._latest(view), int(view["drain.blocked_by"][cell])]
            behind[cell] = view.emit("drains_full", cell, float(view["drain.volume"][cell]), causes=causes)
        view.put("drain.full_event", slice(None), np.where(standing, behind, -1))
        return behind

    def _latest(self, view: View) -> int:
        return int(view["drain_sum.latest"][0])

    def _fallen(self, view: View, since: int, until: int) -> Array:
        """Return the rain on each cell between two instants (us), m3; a rain may cover a part of it."""
        fallen = np.zeros(self.cells.down.shape[0])
        for row in np.flatnonzero(view["rain.start"] >= 0).tolist():
            planned = self.planned[self.rains[row]]
            begin = max(int(view["rain.start"][row]), since)
            end = min(int(view["rain.stop"][row]), until)
            if end > begin:
                nodes = np.array(planned.targets, dtype=np.int64)
                depth = float(planned.params["intensity"]) * (end - begin) / SECOND
                np.add.at(fallen, self.cells.of_node[nodes], depth * self.cells.area[self.cells.of_node[nodes]])
        return fallen

    def kpis(self, view: View) -> dict[str, float]:
        """Return the greatest volume that stood, and the share that has drained."""
        ran = float(view["drain_sum.fallen"][0] - view["drain_sum.soaked"][0])
        share = float(view["drain_sum.discharged"][0]) / ran if ran > 0 else 1.0
        return {"standing_water_max": float(view["drain_sum.most"][0]), "drained_share": share}

    def measure(self, view: View) -> dict[str, float]:
        """Return the water that stands, and the river."""
        return {"standing_water": float(view["drain.volume"].sum()), "river_rise": self.river(view.now)}

    def check(self, view: View) -> list[str]:
        """Return water that appeared or vanished."""
        fallen, soaked = float(view["drain_sum.fallen"][0]), float(view["drain_sum.soaked"][0])
        error = fallen - soaked - float(view["drain_sum.discharged"][0]) - float(view["drain.volume"].sum())
        broken = [] if abs(error) <= 1e-9 * max(fallen, 1.0) else [f"{error:g} m3 of rain are not accounted for"]
        if (view["drain.volume"] < 0).any():
            broken.append("a cell holds less than no water")
        return broken


def _gauge(setup: Setup) -> tuple[Gauge | None, int]:
    """Return the gauge of the options and the reading of its clock at the start of the run, us."""
    from datetime import UTC, datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    given = str(setup.options["gauge"])
    if not given:
        return None, 0
    gauge = read_gauge(Path(setup.folder) / given, str(setup.options["station"]))
    text = str(setup.options["gauge_from"])
    if text:
        return gauge, clock(text, "option gauge_from")
    local = datetime.fromtimestamp(setup.start / 1e6, UTC).astimezone(ZoneInfo(setup.city.timezone))
    return gauge, int(local.replace(tzinfo=UTC).timestamp()) * SECOND
