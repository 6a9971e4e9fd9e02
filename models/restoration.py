"""Repair crews: staged work that begins with a drive on the damaged network.

The desk lists an asset as soon as an observation says that it failed, and takes
it off when an observation or the crew on site says that it is sound. A policy
orders `repair`; the crew mobilises, drives, inspects, repairs, tests and puts
the asset back. Nobody works in flood water: a crew waits on site until the
asset is dry, and work that water breaks off goes on where it stopped.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Delay, Done, Event, EventKind, Kpi, Model, Option, Park, Setup, StepResult
from twin.fields import Field
from twin.models.assets import build_assets
from twin.models.streets import build_streets
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet, leg_fields, road_mark

if TYPE_CHECKING:
    from twin.procedure import Job
    from twin.view import View

AT_DEPOT, DRIVING, INSPECTING, WAITING, REPAIRING, TESTING, RETURNING = range(7)

_DEFAULTS = {"line_repair": 7200.0, "substation_repair": 14400.0}
_FAILED = ("substation.failed", "line.failed")
_SEEN = ("observed_substation.failed", "observed_line.failed")
_STAMPS = ("observed_substation.stamp", "observed_line.stamp")
_STEP_OF_STAGE = {DRIVING: "drive", RETURNING: "back"}


class Restoration(Model):
    """Crews that put failed substations and lines back into service."""

    name = "restoration"
    owns = (
        Field(
            "repair.reported", "int64", "us", "when the desk listed it, -1 while nothing is known", -1, observable=True
        ),
        Field("repair.assigned", "bool", "1", "a crew is on it", observable=True),
        Field("repair.settled", "int64", "us", "when a crew last said that it is sound", -1, observable=True),
        Field("repair.failed_at", "int64", "us", "when it failed, -1 while it works", -1),
        Field("repair.count", "int64", "1", "times it came back into service"),
        Field("repair.outage", "int64", "us", "time out of service until it came back, in total"),
        Field("repair.mended", "int64", "1", "times a crew put it back"),
        Field("crew.free", "bool", "1", "may be sent to a repair", 1, observable=True),
        Field("crew.stage", "int8", "1", "0 at depot, 1 driving ... 6 returning", observable=True),
        Field("crew.asset", "int32", "1", "asset it works on, -1 for none", -1, observable=True),
        Field("crew.job", "int64", "1", "its job, -1 for none", -1),
        Field("crew.left", "int64", "us", "work left on the asset when it began or was broken off"),
        Field("crew.since", "int64", "us", "when the present work began"),
        Field("crew_desk.roads", "int64", "1", "checksum of open links when last looked at"),
        *leg_fields("crew", observable=True),
    )
    reads = (*ROAD_READS, *_FAILED, "substation.depth")
    lags = (*_SEEN, *_STAMPS)
    requires = (*ROAD_NEEDS, *_FAILED, "depots", "substations", "buses", "lines", "sources")
    city_defaults: ClassVar = {"restoration": _DEFAULTS}
    events = (
        EventKind("repair", "order: send crew `value` to an asset", target="repair"),
        EventKind("crew_look", "something changed where a crew drives, waits or works", target="crew"),
    )
    options = (
        Option("mobilisation", "time to leave a depot (assumption)", "quantity", 600.0, "s", low=0),
        Option("inspection", "time to find the fault (assumption)", "quantity", 600.0, "s", low=0),
        Option("test", "time to test before switching on (assumption)", "quantity", 300.0, "s", low=0),
        Option("spread", "coefficient of variation of repair times (assumption)", default=0.5, low=0, high=10),
        Option("work_depth", "no work in deeper water (assumption)", "quantity", 0.3, "m", low=0),
        Option("retime", "interval at which legs are timed again", "quantity", 300.0, "s", low=1),
    )
    procedures: ClassVar = {
        "repair": ("set_out", "drive", "inspect", "begin", "broken_off", "test", "restore", "back", "home")
    }
    deciders = ("crew",)
    kpi_list = (
        Kpi("repairs_done", "1", "higher", "assets that crews put back into service", 1.0),
        Kpi("mean_restoration_time", "s", "lower", "mean time from failure to service, assets back in service", 300.0),
        Kpi("assets_failed", "1", "lower", "assets out of service at the end", 1.0),
    )
    series = (Kpi("crews_busy", "1", "lower", "crews on repairs", 1.0),)

    def setup(self, setup: Setup) -> dict[str, int]:
        """Place crews and assets."""
        city, options = setup.city, setup.options
        power = np.asarray(city["depots"]["kind"]) == "power"
        crews = np.where(power, city["depots"]["crews"], 0)
        self.depot_node = np.repeat(np.asarray(city["depots"]["node"], dtype=np.int64), crews)
        self.assets = build_assets(city)
        means = city.settings("restoration", _DEFAULTS)
        self.mean = {"substation": float(means["substation_repair"]), "line": float(means["line_repair"])}
        self.spread, self.work_depth = float(options["spread"]), float(options["work_depth"])
        self.mobilisation, self.inspection, self.test = (
            round(float(options[name]) * SECOND) for name in ("mobilisation", "inspection", "test")
        )
        self.fleet = Fleet("crew", build_streets(city), 1.0, round(float(options["retime"]) * SECOND))
        return {"repair": self.assets.count, "crew": self.depot_node.shape[0], "crew_desk": 1}

    def start(self, view: View) -> None:
        """Park every crew at its depot."""
        view.put("crew.node", slice(None), self.depot_node)

    def step(self, view: View) -> None:
        """Note failures and reports; let crews look when roads or water changed for them."""
        self._note_failures(view)
        self._list_reports(view)
        for crew, link in self.fleet.blocked(view):
            view.schedule("crew_look", 1, target=crew, cause=view.cause("link.open", link))
        mark = road_mark(view)
        if mark != view["crew_desk.roads"][0]:
            view.raw("crew_desk.roads")[0] = mark
            for crew in np.flatnonzero(view["crew.leg_stuck"]).tolist():
                view.schedule("crew_look", 1, target=crew, cause=-1)
        stage = view["crew.stage"]
        for crew in np.flatnonzero((stage == WAITING) | (stage == REPAIRING)).tolist():
            asset = int(view["crew.asset"][crew])
            if self._flooded(view, asset) == (view["crew.stage"][crew] == REPAIRING):
                view.schedule("crew_look", 1, target=crew, cause=view.cause("substation.depth", asset))

    def _note_failures(self, view: View) -> None:
        failed = np.concatenate([view[name] for name in _FAILED])
        since = view.raw("repair.failed_at")
        back = np.flatnonzero(~failed & (since >= 0))
        view.raw("repair.outage")[back] += view.now - since[back]
        view.raw("repair.count")[back] += 1
        since[back] = -1
        since[failed & (since < 0)] = view.now

    def _list_reports(self, view: View) -> None:
        """List assets that observations call failed, unless a crew has said otherwise since."""
        if not all(name in view for name in (*_SEEN, *_STAMPS)):
            return
        known = np.concatenate([view[name] for name in _SEEN])
        known &= np.concatenate([view[name] for name in _STAMPS]) > view["repair.settled"]
        listed = view["repair.reported"] >= 0
        view.put("repair.reported", np.flatnonzero(listed & ~known), -1)
        for asset in np.flatnonzero(known & ~listed).tolist():
            table, row = self.assets.table_of(asset)
            view.put("repair.reported", asset, view.now)
            view.emit("repair_wanted", asset, causes=[view.cause(f"{table}.failed", row)])

    def _flooded(self, view: View, asset: int) -> bool:
        deep = asset < self.assets.substations and "substation.depth" in view
        return bool(deep and view["substation.depth"][asset] >= self.work_depth)

    def _failed(self, view: View, asset: int) -> bool:
        table, row = self.assets.table_of(asset)
        return bool(view[f"{table}.failed"][row])

    def on_event(self, view: View, event: Event) -> None:
        """Carry out orders; let a crew look up from what it does."""
        if event.kind == "repair":
            self._order(view, event)
            return
        crew = event.target
        stage, job = int(view["crew.stage"][crew]), int(view["crew.job"][crew])
        if stage in _STEP_OF_STAGE:
            view.interrupt(job, _STEP_OF_STAGE[stage])
        elif stage == WAITING and not self._flooded(view, int(view["crew.asset"][crew])):
            view.resume(job)
        elif stage == REPAIRING and self._flooded(view, int(view["crew.asset"][crew])):
            view.interrupt(job, "broken_off")

    def _order(self, view: View, event: Event) -> None:
        """Send a crew; an order for a busy or unknown crew, or an asset that has a crew, is dropped."""
        asset, crew = event.target, round(event.value)
        known = 0 <= crew < view.rows("crew")
        if not known or view["repair.assigned"][asset] or not view["crew.free"][crew]:
            return
        order = view.emit("crew_sent", asset, float(crew), crew)
        view.because(order)
        view.put("repair.assigned", asset, True)
        view.put("crew.free", crew, False)
        view.put("crew.asset", crew, asset)
        view.put("crew.left", crew, self._work(view, asset))
        job = int(view["crew.job"][crew])
        if job >= 0:
            view.put("crew.stage", crew, DRIVING)
            view.interrupt(job, "drive")
        else:
            view.put("crew.job", crew, view.begin("repair", crew))

    def _work(self, view: View, asset: int) -> int:
        """Return the repair time (us), lognormal, keyed by asset and how often it was repaired."""
        chance = view.uniform("repair.time", asset, int(view["repair.mended"][asset]))
        sigma = float(np.sqrt(np.log1p(self.spread**2)))
        mean = self.mean[self.assets.table_of(asset)[0]]
        return max(round(mean * float(np.exp(sigma * NormalDist().inv_cdf(chance) - sigma**2 / 2)) * SECOND), 1)

    def repair_set_out(self, view: View, job: Job) -> StepResult:
        """Load the truck at the depot."""
        return Delay(self.mobilisation)

    def repair_drive(self, view: View, job: Job) -> StepResult:
        """Drive to the asset."""
        view.put("crew.stage", job.entity, DRIVING)
        goal = int(self.assets.node[view["crew.asset"][job.entity]])
        return self._drive(view, job.entity, goal, "drive", "inspect")

    def _drive(self, view: View, crew: int, goal: int, again: str, arrived: str) -> StepResult:
        left = self.fleet.follow(view, crew, goal)
        if left is None:
            return Park(again)
        return Delay(left, again if left else arrived)

    def repair_inspect(self, view: View, job: Job) -> StepResult:
        """Find the fault."""
        view.because(view.emit("crew_on_site", int(view["crew.asset"][job.entity]), float(job.entity), job.entity))
        view.put("crew.stage", job.entity, INSPECTING)
        return Delay(self.inspection)

    def repair_begin(self, view: View, job: Job) -> StepResult:
        """Begin or go on with the work, once the asset is dry."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        if not self._failed(view, asset):
            return self._leave(view, crew)
        if self._flooded(view, asset):
            view.put("crew.stage", crew, WAITING)
            return Park("begin")
        view.put("crew.stage", crew, REPAIRING)
        view.put("crew.since", crew, view.now)
        return Delay(int(view["crew.left"][crew]), "test")

    def repair_broken_off(self, view: View, job: Job) -> StepResult:
        """Stop because of water; what is done stays done."""
        crew = job.entity
        left = int(view["crew.left"][crew]) - (view.now - int(view["crew.since"][crew]))
        view.put("crew.left", crew, max(left, 0))
        view.because(view.emit("repair_broken_off", int(view["crew.asset"][crew]), left / SECOND, crew))
        view.put("crew.stage", crew, WAITING)
        return Park("begin")

    def repair_test(self, view: View, job: Job) -> StepResult:
        """Test before switching on."""
        view.put("crew.stage", job.entity, TESTING)
        view.put("crew.left", job.entity, 0)
        return Delay(self.test)

    def repair_restore(self, view: View, job: Job) -> StepResult:
        """Put the asset back, unless water has come again."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        if self._flooded(view, asset):
            view.put("crew.stage", crew, WAITING)
            return Park("begin")
        table, row = self.assets.table_of(asset)
        view.raw("repair.mended")[asset] += 1
        view.schedule("power_repair", 0, row, data=int(table == "line"))
        view.because(view.emit("repair_done", asset, data=crew))
        return self._leave(view, crew)

    def _leave(self, view: View, crew: int) -> StepResult:
        asset = int(view["crew.asset"][crew])
        view.put("repair.settled", asset, view.now)
        view.put("repair.reported", asset, -1)
        view.put("repair.assigned", asset, False)
        view.put("crew.asset", crew, -1)
        view.put("crew.free", crew, True)
        view.put("crew.stage", crew, RETURNING)
        view.emit("crew_free", crew)
        return Delay(0, "back")

    def repair_back(self, view: View, job: Job) -> StepResult:
        """Drive back to the depot, ready for the next repair."""
        return self._drive(view, job.entity, int(self.depot_node[job.entity]), "back", "home")

    def repair_home(self, view: View, job: Job) -> StepResult:
        """End the round at the depot."""
        view.put("crew.stage", job.entity, AT_DEPOT)
        view.put("crew.job", job.entity, -1)
        return Done()

    def kpis(self, view: View) -> dict[str, float]:
        """Return repairs, their mean duration, and what is still out of service."""
        count = int(view["repair.count"].sum())
        return {
            "repairs_done": float(view["repair.mended"].sum()),
            "mean_restoration_time": float(view["repair.outage"].sum()) / SECOND / count if count else math.nan,
            "assets_failed": float((view["repair.failed_at"] >= 0).sum()),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Return crews on repairs now."""
        return {"crews_busy": float((~view["crew.free"]).sum())}

    def check(self, view: View) -> list[str]:
        """Return crews and repairs that contradict each other."""
        busy = ~view["crew.free"]
        assets = view["crew.asset"][busy]
        found: list[Any] = []
        if (assets < 0).any() or np.unique(assets).shape[0] != assets.shape[0]:
            found.append("a busy crew has no asset, or two crews have one")
        if int(view["repair.assigned"].sum()) != int(busy.sum()):
            found.append(f"{int(busy.sum())} crews are busy, {int(view['repair.assigned'].sum())} assets have a crew")
        return found
