"""What-if on streets that stand still, compiled: the live state of the model in the arrays of a kernel.

Everything the model does in a branch in which only calls, units and their reports go on is done by
the kernel `standstill`, to the microsecond. `Standstill.refusal` and `refuses` say what is beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.emergency import standstill_state as layout

if TYPE_CHECKING:
    from twin.contract import Policy
    from twin.kernels.standstill_arrays import State
    from twin.models.emergency.answering import Answered
    from twin.models.emergency.model import Emergency
    from twin.models.streets import Streets
    from twin.world import World

Array = np.ndarray[Any, Any]

_LIVE = frozenset(("emergency", "avl"))
_EVENTS = {"dispatch", "dispatcher_free", "call_rings", "avl_sample", "avl_arrival", "surge"}


@dataclass(frozen=True)
class Future:
    """A future from the branch instant on: what all policies start from.

    world    the world that goes on, not run
    known    what comes of calls at the desk
    numbers, case_parts  constants of the kernel by name
    state    arrays of the kernel; the policy's decisions are not in the calendar
    decides  us and kind of decisions pending for the present policy
    """

    world: World
    known: Answered
    case_parts: Mapping[str, Any]
    state: State
    decides: tuple[tuple[int, int], ...]


class Standstill:
    """Branches of one live state, compiled.

    refusal  why none can be, "" when they can
    """

    def __init__(self, world: World, frozen: frozenset[str]) -> None:
        self.world = world
        self.model: Emergency = world.assembly.by_name["emergency"]  # type: ignore[assignment]
        self.refusal = _refusal(world, frozen)
        self._streets: Mapping[str, Any] = {}
        self._beliefs: dict[float, Array] = {}

    def refuses(self, policies: tuple[Policy, ...]) -> str:
        """Return why a choice of policies needs the model itself, "" when it does not."""
        for policy in policies:
            if policy.role != "dispatch" and self._orders_the_service(policy):
                return f"{policy.name} is not compiled"
        policy = self._dispatcher(policies)
        if policy is None:
            return "nobody dispatches"
        return "" if _rule(policy) else f"{policy.name} is not compiled"

    def _orders_the_service(self, policy: Policy) -> bool:
        return any(self.world.assembly.handler.get(order) is self.model for order in policy.commands)

    def _dispatcher(self, policies: tuple[Policy, ...]) -> Any:
        given = [policy for policy in (*policies, *self.world.assembly.policies) if policy.role == "dispatch"]
        return given[0] if given else None

    def future(self, child: World, end: int) -> Future:
        """Return what all policies start from.

        child  the world as it goes on with another seed and standing streets, not run
        end    us, end of the horizon
        """
        known = layout.answered(child, end)
        first = int(child.state["avl_unit_slot.count"][0])
        parts = {**self._still(), **layout.demand(child, known), **layout.reports(child, first, end)}
        parts["number"] = layout.numbers(child, first)
        state = layout.state_of(child)
        decides = layout.fill_calendar(child, state, known, end)
        return Future(child, known, parts, state, decides)

    def run(self, future: Future, policies: tuple[Policy, ...], end: int) -> dict[str, Array]:
        """Return the columns of `call` at an instant (us) under policies that begin now; none for the present ones."""
        from twin.kernels import standstill_arrays as kernel
        from twin.kernels.calendar import schedule
        from twin.kernels.standstill import serve

        policy = self._dispatcher(policies)
        number = future.case_parts["number"].copy()
        number[kernel.DECIDE_EVERY] = policy.every
        case = kernel.Case(**{**future.case_parts, **self._policy(policy), "number": number})
        state = layout.copied(future.state)
        now = future.world.now
        begins = any(given is policy for given in policies)
        for due, kind in ((now, kernel.TIMER),) if begins else future.decides:
            schedule(state.calendar, due, 2, kind, 0, 0)
            state.clock[kernel.WAITS] |= kind == kernel.DECIDE
        if serve(case, state, end) != kernel.DONE:
            raise RuntimeError("the calendar of the compiled branch is full")
        return layout.columns(future.world, future.known, state, end)

    def _still(self) -> Mapping[str, Any]:
        """Return streets as they stand and the ways of units on them."""
        from twin.kernels.standstill import all_ways

        if not self._streets:
            view = self.world.view("emergency")
            times = self.model.fleet.link_times(view)
            streets = self.model.fleet.streets
            count = streets.nodes
            way_time, way_link = np.empty((count, count)), np.empty((count, count), np.int32)
            all_ways(streets.graph, times, False, way_time, way_link)
            open_links = np.isfinite(times)
            taken = np.maximum(np.rint(np.where(open_links, times, 0.0) * SECOND), 1.0).astype(np.int64)
            ways = {"way_time": way_time, "way_link": way_link, "passable": open_links, "link_time": taken}
            self._streets = {"streets": streets.graph, **ways, **layout.service(self.world)}
        return self._streets

    def _policy(self, policy: Any) -> dict[str, Any]:
        """Return what a policy believes and the constants of its rule."""
        parts = {"belief": self._belief(policy.streets, policy.share)}
        covered = np.zeros((0, policy.streets.nodes), np.bool_), np.zeros(0)
        if _rule(policy) == "dmexclp":
            covered = np.ascontiguousarray(policy.covered), policy.demand
        numbers = {name: float(getattr(policy, name, 0.0)) for name in ("busy", "preparation", "target")}
        return {**parts, "covered": covered[0], "population": covered[1], **numbers}

    def _belief(self, streets: Streets, share: float) -> Array:
        """Return the seconds a policy expects between all nodes; row: goal."""
        from twin.kernels.standstill import all_ways

        if share not in self._beliefs:
            free = streets.free_time
            times = free + share * np.maximum(self.world.state["observed_link.time"] - free, 0.0)
            found, via = np.empty((streets.nodes,) * 2), np.empty((streets.nodes,) * 2, np.int32)
            all_ways(streets.graph, times, True, found, via)
            self._beliefs[share] = found
        return self._beliefs[share]


def _rule(policy: Any) -> str:
    """Return the name of the compiled rule of a policy, "" without one; a class derived from it is another rule."""
    from twin.models.policies.dispatch import ClosestIdle, Dmexclp

    return {ClosestIdle: "closest_idle", Dmexclp: "dmexclp"}.get(type(policy), "")


def _refusal(world: World, frozen: frozenset[str]) -> str:
    """Return why no branch of a state can be compiled, "" when it can."""
    alive = {component.name for component in world.assembly.components} - frozen
    if alive != _LIVE:
        return f"{', '.join(sorted(alive - _LIVE) or sorted(_LIVE - alive))} would have to stand still or to go on"
    return next(_beyond(world), "")


def _beyond(world: World) -> Iterator[str]:
    """Yield what in a state is beyond the kernel."""
    from twin.kernels.standstill_arrays import STEPS

    model: Any = world.assembly.by_name["emergency"]
    state, options = world.state, world.assembly.options["emergency"]
    if tuple(model.procedures["mission"]) != STEPS:
        yield "missions have other steps"
    if options.get("service") or world.assembly.options["avl"].get("service"):
        yield "the service has a plan"
    if model.requests.role.any() or model.requests.referred.any():
        yield "incidents need several units"
    if options.get("divert_dark") or any(name in state and state[name].any() for name in _FLAGS):
        yield "hospitals divert, or the service does what is not compiled"
    if state["kind_off.flag"].any():
        yield "an event was taken out"
    kinds = {event.kind for event in world.assembly.events if event.time >= world.now}
    ordered = {kind for kind in kinds if world.assembly.handler[kind] is model}
    if ordered - _EVENTS:
        yield f"{', '.join(sorted(ordered - _EVENTS))} is to come"
    rows = np.flatnonzero(state["pending.alive"])
    pending = {world.assembly.kinds[number] for number in np.unique(state["pending.kind"][rows]).tolist()}
    own = {kind for kind in pending if world.assembly.handler.get(kind) is model}
    if own - _EVENTS:
        yield f"{', '.join(sorted(own - _EVENTS))} is pending"


_FLAGS = ("hospital.diverts", "hospital.ordered", "desk.upgrade", "unit.asked", "call.need")
