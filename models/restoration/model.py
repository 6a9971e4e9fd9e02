"""Repair crews: staged work that begins with a drive on the damaged network.

The desk lists an asset as soon as an observation says that it failed, or people report it where no
sensor does, and takes it off when it is seen or found to be sound. A policy orders `repair`; the crew
prepares, drives, inspects, isolates, repairs, tests and puts the asset back. Nobody works in flood
water: a crew waits on site until the asset is dry. Work that water or the end of a shift breaks off
goes on where it stopped, by whoever comes next. A crew that tests finishes before it goes off duty.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import HOUR, MINUTE, SECOND, Event, Setup
from twin.models.assets import SKILLS, build_assets, unrepaired
from twin.models.restoration import kinds
from twin.models.restoration.crews import build_crews
from twin.models.restoration.desk import FAILED, SEEN, STAMPS, Desk
from twin.models.restoration.kinds import (
    AT_DEPOT,
    DRIVING,
    LOADING,
    OFF_DUTY,
    REPAIRING,
    RETURNING,
    STAGES,
    TESTING,
    WAITING,
)
from twin.models.restoration.steps import RepairSteps
from twin.models.restoration.work import durations_of
from twin.models.streets import build_streets
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet, roads_changed

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_STEP_OF_STAGE = {DRIVING: "drive", RETURNING: "back"}
_DAY = 24 * HOUR


class Restoration(RepairSteps):
    """Crews that put failed substations, lines, pipes, pumps and roads back into service."""

    name = "restoration"
    owns = kinds.FIELDS
    reads = (*ROAD_READS, *FAILED, "substation.depth")
    lags = (*SEEN, *STAMPS)
    requires = (*ROAD_NEEDS, "substation.failed", "line.failed", "depots", "buses", "lines", "sources")
    events = kinds.EVENTS
    tells = kinds.TELLS
    waits_for: ClassVar = {"restoration": "no crew repairs anything"}
    options = kinds.OPTIONS
    procedures: ClassVar = {
        "repair": (
            *("set_out", "drive", "inspect", "begin", "broken_off", "test", "restore", "back", "home"),
            *("prepare", "isolate", "fetch", "knock_off"),
        )
    }
    deciders = ("crew",)
    kpi_list = kinds.KPIS
    series = kinds.SERIES

    def doubt(self, setup: Setup) -> list[str]:
        """Return the kinds of asset that the scenario breaks and no crew of this city repairs."""
        return unrepaired(setup)

    def setup(self, setup: Setup) -> dict[str, int]:
        """Place crews and assets."""
        city, options = setup.city, setup.options
        self.run = setup
        self.crews = build_crews(city, (float(options["shift_from"]), float(options["shift_to"])))
        self.assets = build_assets(city)
        self.durations = durations_of(city, options, setup.folder)
        self.desk = Desk(self.assets, round(float(options["report_delay"]) * SECOND))
        self.work_depth, self.kits = float(options["work_depth"]), int(options["kits"])
        self.carries = int(options["carries"])
        self.mobilisation, self.preparation, self.linger, self.restock = (
            round(float(options[name]) * SECOND) for name in ("mobilisation", "preparation", "linger", "restock")
        )
        self.fleet = Fleet("crew", build_streets(city), 1.0, round(float(options["retime"]) * SECOND))
        rows = {"repair": self.assets.count, "crew": self.crews.count, "crew_desk": 1}
        return rows | {"stock": city.rows("depots")}

    def start(self, view: View) -> None:
        """Park every crew at its depot, on or off duty, and fill the depots."""
        view.put("crew.node", slice(None), self.crews.node)
        view.put("stock.kits", slice(None), self.kits)
        if self.kits:
            view.schedule("restock", self.restock, cause=-1)
        hour = self.run.local_hour(view.now)
        for crew in range(self.crews.count):
            on = self.crews.on_duty(crew, hour)
            view.put("crew.on_duty", crew, on)
            view.put("crew.free", crew, on)
            view.put("crew.stage", crew, AT_DEPOT if on else OFF_DUTY)
            self._plan_shift(view, crew, on)

    def _plan_shift(self, view: View, crew: int, on: bool) -> None:
        if not self.crews.always(crew):
            until = round((self.crews.hours[crew, int(on)] - self.run.local_hour(view.now)) * HOUR) % _DAY
            view.schedule("crew_shift", until + _DAY if until < MINUTE else until, crew, data=int(not on), cause=-1)

    def step(self, view: View) -> None:
        """Note failures and reports; let crews look when roads or water changed for them."""
        self.desk.note(view)
        self.desk.look(view)
        for crew, link in self.fleet.blocked(view):
            view.schedule("crew_look", 1, target=crew, cause=view.cause("link.open", link))
        if roads_changed(view, "crew_desk.roads"):
            for crew in self.fleet.stuck(view):
                view.schedule("crew_look", 1, target=crew, cause=-1)
        stage = view["crew.stage"]
        for crew in np.flatnonzero((stage == WAITING) | (stage == REPAIRING)).tolist():
            asset = int(view["crew.asset"][crew])
            if self._flooded(view, asset) == (view["crew.stage"][crew] == REPAIRING):
                view.schedule("crew_look", 1, target=crew, cause=self._water(view, asset))

    def on_event(self, view: View, event: Event) -> None:
        """Carry out orders, shifts and reports; let a crew look up from what it does."""
        if event.kind == "repair":
            self._order(view, event)
        elif event.kind == "repair_report":
            self.desk.report(view, event.target)
        elif event.kind == "crew_shift":
            self._shift(view, event.target, bool(event.data))
        elif event.kind == "restock":
            view.put("stock.kits", slice(None), self.kits)
            view.schedule("restock", self.restock, cause=-1)
            for crew in np.flatnonzero(view["crew.stage"] == LOADING).tolist():
                view.resume(int(view["crew.job"][crew]))
        else:
            self._look(view, event.target)

    def _look(self, view: View, crew: int) -> None:
        stage, job = int(view["crew.stage"][crew]), int(view["crew.job"][crew])
        if stage in _STEP_OF_STAGE:
            view.interrupt(job, _STEP_OF_STAGE[stage])
        elif stage == WAITING and not self._flooded(view, int(view["crew.asset"][crew])):
            view.resume(job)
        elif stage == REPAIRING and self._flooded(view, int(view["crew.asset"][crew])):
            view.interrupt(job, "broken_off")

    def _shift(self, view: View, crew: int, on: bool) -> None:
        """Begin or end a crew's duty; work in hand is broken off, a test is finished."""
        view.put("crew.on_duty", crew, on)
        self._plan_shift(view, crew, on)
        busy, stage = int(view["crew.asset"][crew]) >= 0, int(view["crew.stage"][crew])
        view.put("crew.free", crew, on and not busy)
        if on and not busy:
            view.emit("crew_free", crew)
        if stage in (AT_DEPOT, OFF_DUTY):
            self._stage(view, crew, AT_DEPOT if on else OFF_DUTY)
        elif busy and not on and stage != TESTING:
            view.interrupt(int(view["crew.job"][crew]), "knock_off")

    def _order(self, view: View, event: Event) -> None:
        """Send a crew; an order for a busy, unknown or unskilled crew, or an asset that has one, is dropped."""
        asset, crew = event.target, round(event.value)
        known = 0 <= crew < view.rows("crew")
        if not known or view["repair.assigned"][asset] or not view["crew.free"][crew]:
            return
        if self.crews.skill[crew] != self.assets.skill[asset]:
            self.desk.tell(view, "repair_refused", asset, float(crew))
            return
        wanted = view.cause("repair.reported", asset) if view["repair.reported"][asset] >= 0 else -1
        order = self.desk.tell(view, "crew_sent", asset, float(crew), [view.cause_id, wanted])
        view.because(order)
        view.put("repair.assigned", asset, True)
        view.put("crew.free", crew, False)
        view.put("crew.asset", crew, asset)
        view.put("crew.goal", crew, -1)
        left = int(view["repair.left"][asset])
        view.put("crew.left", crew, left if left >= 0 else self._takes(view, asset, "repair"))
        job = int(view["crew.job"][crew])
        if job >= 0:
            self._stage(view, crew, DRIVING)
            empty = bool(self.kits) and view["crew.kits"][crew] == 0
            view.interrupt(job, "fetch" if empty else "prepare" if self.preparation else "drive")
        else:
            view.put("crew.job", crew, view.begin("repair", crew))

    def kpis(self, view: View) -> dict[str, float]:
        """Return repairs, their mean duration, and what is still out of service."""
        count = int(view["repair.count"].sum())
        return {
            "repairs_done": float(view["repair.mended"].sum()),
            "mean_restoration_time": float(view["repair.outage"].sum()) / SECOND / count if count else math.nan,
            "assets_out_at_end": float((view["repair.failed_at"] >= 0).sum()),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Return crews on repairs now."""
        return {"crews_busy": float((view["crew.asset"] >= 0).sum())}

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return the minutes each crew spent in each stage."""
        spent = view["crew.time"].copy()
        crews = np.arange(self.crews.count)
        spent[crews, view["crew.stage"]] += view.now - view["crew.since"]
        minutes = {f"minutes_{name.replace(' ', '_')}": spent[:, i] / MINUTE for i, name in enumerate(STAGES)}
        return {"crews": {"id": crews, "skill": np.array(SKILLS)[self.crews.skill], **minutes}}

    def check(self, view: View) -> list[str]:
        """Return crews and repairs that contradict each other."""
        working = view["crew.asset"] >= 0
        assets = view["crew.asset"][working]
        found: list[Any] = []
        if np.unique(assets).shape[0] != assets.shape[0] or (view["crew.free"] & working).any():
            found.append("two crews have one asset, or a crew with an asset is free")
        if int(view["repair.assigned"].sum()) != int(working.sum()):
            found.append(f"{int(working.sum())} crews work, {int(view['repair.assigned'].sum())} assets have a crew")
        if (view["crew.free"] & ~view["crew.on_duty"]).any():
            found.append("a crew off duty may be sent")
        if (view["repair.isolated"] & ~view["repair.assigned"] & (view["repair.reported"] < 0)).any():
            found.append("valves around an asset are shut that nobody works on or waits for")
        if (view["stock.kits"] < 0).any():
            found.append("a depot has fewer kits than none")
        return found
