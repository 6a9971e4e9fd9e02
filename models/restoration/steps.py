"""The steps of a repair, from the depot and back: each looks, acts and says what to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.contract import SECOND, Delay, Done, Model, Park, StepResult
from twin.models.assets import LINK, PIPE, PUMP, SUBSTATION, Assets
from twin.models.restoration.kinds import (
    AT_DEPOT,
    DRIVING,
    INSPECTING,
    ISOLATING,
    LOADING,
    OFF_DUTY,
    PREPARING,
    REPAIRING,
    RETURNING,
    STANDING,
    TESTING,
    WAITING,
)

if TYPE_CHECKING:
    from twin.models.restoration.crews import Crews
    from twin.models.restoration.desk import Desk
    from twin.models.restoration.work import Durations
    from twin.models.travel import Fleet
    from twin.procedure import Job
    from twin.view import View

_MEND = {PIPE: "pipe_repair", PUMP: "pump_repair", LINK: "road_repair"}


class RepairSteps(Model):
    """The procedure `repair`; its entity is the crew."""

    assets: Assets
    crews: Crews
    desk: Desk
    durations: Durations
    fleet: Fleet
    work_depth: float
    kits: int
    carries: int
    mobilisation: int
    preparation: int
    linger: int

    def _water(self, view: View, asset: int) -> int:
        """Return the event that last changed the water at an asset, -1 for none."""
        wet = self.assets.kind[asset] == SUBSTATION and "substation.depth" in view
        return view.cause("substation.depth", asset) if wet else -1

    def _flooded(self, view: View, asset: int) -> bool:
        deep = self.assets.kind[asset] == SUBSTATION and "substation.depth" in view
        return bool(deep and view["substation.depth"][asset] >= self.work_depth)

    def _stage(self, view: View, crew: int, stage: int) -> None:
        """Enter a stage, and book the time of the one before."""
        view.raw("crew.time")[crew, int(view["crew.stage"][crew])] += view.now - int(view["crew.since"][crew])
        view.put("crew.since", crew, view.now)
        view.put("crew.stage", crew, stage)

    def _takes(self, view: View, asset: int, step: str) -> int:
        """Return how long a step takes (us), keyed by asset and how often it was repaired."""
        duration = self.durations[self.assets.table_of(asset)[0], step]
        draw = int(view["repair.mended"][asset])
        stream = "repair.time" if step == "repair" else f"repair.{step}"
        return duration.draw(view.uniform(stream, asset, draw) if duration.spread else 0.5)

    def repair_fetch(self, view: View, job: Job) -> StepResult:
        """Drive to the depot for material."""
        return self._drive(view, job.entity, int(self.crews.node[job.entity]), "fetch", "set_out")

    def repair_set_out(self, view: View, job: Job) -> StepResult:
        """Load the truck at the depot; wait there while the depot has nothing."""
        crew = job.entity
        if self.kits and view["crew.kits"][crew] == 0:
            depot = int(self.crews.depot[crew])
            taken = min(self.carries, int(view["stock.kits"][depot]))
            if not taken:
                self._stage(view, crew, LOADING)
                return Park("set_out")
            view.put("stock.kits", depot, int(view["stock.kits"][depot]) - taken)
            view.put("crew.kits", crew, taken)
        self._stage(view, crew, PREPARING)
        return Delay(self.mobilisation + int(self.crews.lead[crew]), "drive")

    def repair_prepare(self, view: View, job: Job) -> StepResult:
        """Get ready for the next trip."""
        self._stage(view, job.entity, PREPARING)
        return Delay(self.preparation, "drive")

    def repair_drive(self, view: View, job: Job) -> StepResult:
        """Drive to the asset."""
        if view["crew.stage"][job.entity] != DRIVING:
            self._stage(view, job.entity, DRIVING)
        return self._drive(view, job.entity, self._goal(view, job.entity), "drive", "inspect")

    def _goal(self, view: View, crew: int) -> int:
        """Return the end of the asset the crew drives to: the nearer one when it set out."""
        if view["crew.goal"][crew] < 0:
            asset = int(view["crew.asset"][crew])
            near, far = int(self.assets.node[asset]), int(self.assets.other[asset])
            if near != far:
                times = self.fleet.times_from(view, crew)
                near = far if times[far] < times[near] else near
            view.put("crew.goal", crew, near)
        return int(view["crew.goal"][crew])

    def _drive(self, view: View, crew: int, goal: int, again: str, arrived: str) -> StepResult:
        left = self.fleet.follow(view, crew, goal)
        if left is None:
            return Park(again)
        return Delay(left, again if left else arrived)

    def repair_inspect(self, view: View, job: Job) -> StepResult:
        """Find the fault."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        view.because(self.desk.tell(view, "crew_on_site", asset, float(crew)))
        self._stage(view, crew, INSPECTING)
        then = "isolate" if self._takes(view, asset, "isolate") and not view["repair.isolated"][asset] else "begin"
        return Delay(self._takes(view, asset, "inspect"), then)

    def repair_isolate(self, view: View, job: Job) -> StepResult:
        """Cut the asset off from the rest; the valves around a pipe close at the end of it."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        if not self.desk.failed(view)[asset]:
            return self._leave(view, crew)
        self._stage(view, crew, ISOLATING)
        return Delay(self._takes(view, asset, "isolate"), "begin")

    def repair_begin(self, view: View, job: Job) -> StepResult:
        """Begin or go on with the work, once the asset is dry."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        if not self.desk.failed(view)[asset]:
            return self._leave(view, crew)
        if self.assets.kind[asset] == PIPE and not view["repair.isolated"][asset]:
            view.put("repair.isolated", asset, True)
            view.schedule("isolate", 0, int(self.assets.row[asset]))
        if self._flooded(view, asset):
            self._stage(view, crew, WAITING)
            return Park("begin")
        self._stage(view, crew, REPAIRING)
        view.put("repair.begun", asset, True)
        return Delay(int(view["crew.left"][crew]), "test")

    def _interrupted(self, view: View, crew: int) -> int:
        """Book the work done when a repair is broken off; return what is left, us."""
        left = int(view["crew.left"][crew])
        if view["crew.stage"][crew] == REPAIRING:
            left = max(left - (view.now - int(view["crew.since"][crew])), 0)
            view.put("crew.left", crew, left)
            view.because(self.desk.tell(view, "repair_broken_off", int(view["crew.asset"][crew]), left / SECOND))
        return left

    def repair_broken_off(self, view: View, job: Job) -> StepResult:
        """Stop because of water; what is done stays done."""
        self._interrupted(view, job.entity)
        self._stage(view, job.entity, WAITING)
        return Park("begin")

    def repair_knock_off(self, view: View, job: Job) -> StepResult:
        """Go home because the shift is over; what is done is kept for whoever comes next."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        if asset < 0:
            return Delay(0, "back")
        view.put("repair.left", asset, self._interrupted(view, crew))
        view.put("repair.assigned", asset, False)
        view.put("crew.asset", crew, -1)
        self.desk.tell(view, "repair_wanted", asset)
        return Delay(0, "back")

    def repair_test(self, view: View, job: Job) -> StepResult:
        """Test before switching on."""
        self._stage(view, job.entity, TESTING)
        view.put("crew.left", job.entity, 0)
        return Delay(self._takes(view, int(view["crew.asset"][job.entity]), "test"))

    def repair_restore(self, view: View, job: Job) -> StepResult:
        """Put the asset back into service, unless water rose during the test."""
        crew, asset = job.entity, int(view["crew.asset"][job.entity])
        if self._flooded(view, asset):
            self._stage(view, crew, WAITING)
            return Park("begin")
        view.raw("repair.mended")[asset] += 1
        view.put("crew.kits", crew, max(int(view["crew.kits"][crew]) - 1, 0))
        self._mend(view, asset)
        view.because(self.desk.tell(view, "repair_done", asset, float(crew)))
        return self._leave(view, crew)

    def _mend(self, view: View, asset: int) -> None:
        kind, row = int(self.assets.kind[asset]), int(self.assets.row[asset])
        if kind in _MEND:
            view.schedule(_MEND[kind], 0, row)
        else:
            view.schedule("power_repair", 0, row, data=int(kind != SUBSTATION))

    def _leave(self, view: View, crew: int) -> StepResult:
        """Leave an asset that works; the valves around it are opened, whoever closed them."""
        asset = int(view["crew.asset"][crew])
        if view["repair.isolated"][asset]:
            view.put("repair.isolated", asset, False)
            view.schedule("reopen", 0, int(self.assets.row[asset]))
        view.put("repair.begun", asset, False)
        view.put("repair.settled", asset, view.now)
        view.put("repair.reported", asset, -1)
        view.put("repair.left", asset, -1)
        view.put("repair.assigned", asset, False)
        view.put("crew.asset", crew, -1)
        view.put("crew.free", crew, bool(view["crew.on_duty"][crew]))
        self._stage(view, crew, STANDING if self.linger else RETURNING)
        view.emit("crew_free", crew)
        return Delay(self.linger, "back")

    def repair_back(self, view: View, job: Job) -> StepResult:
        """Drive back to the depot, ready for the next repair."""
        if view["crew.stage"][job.entity] != RETURNING:
            self._stage(view, job.entity, RETURNING)
        return self._drive(view, job.entity, int(self.crews.node[job.entity]), "back", "home")

    def repair_home(self, view: View, job: Job) -> StepResult:
        """End the round at the depot."""
        self._stage(view, job.entity, AT_DEPOT if view["crew.on_duty"][job.entity] else OFF_DUTY)
        view.put("crew.job", job.entity, -1)
        return Done()
