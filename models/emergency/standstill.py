"""What-if compiled: the live state of the model in the arrays of a kernel.

Where nothing that units do changes what they read (roads, power, telecom), everything the model does in a
branch is done by the kernel `standstill`, to the microsecond. Either all else stands still, or it
goes its way and one run has witnessed it. `Standstill.refusal` and `refuses` say what is beyond the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.assembly import DECISION, TIMER
from twin.contract import NEVER, Policy
from twin.models.emergency import standstill_reels as reels
from twin.models.emergency import standstill_rules as rules
from twin.models.emergency import standstill_state as layout

if TYPE_CHECKING:
    from twin.kernels.standstill_arrays import State
    from twin.models.emergency.answering import Answered
    from twin.models.emergency.model import Emergency
    from twin.world import World

Array = np.ndarray[Any, Any]

PARTS = frozenset(("emergency", "avl"))
EVENTS = frozenset(
    ("dispatch", "dispatcher_free", "call_rings", "avl_sample", "avl_arrival", "surge", "move", "unit_reroute")
)
TOLD = frozenset(
    (
        *("aid_promised", "call_closed", "call_late", "call_preempted", "call_put_through", "call_triaged"),
        *("dispatch_failed", "diversion", "move_failed", "unit_at_hospital", "unit_dispatched", "unit_diverted"),
        *("unit_free", "unit_moved", "unit_on_scene", "feed_silent", "feed_back"),
        *("order.dispatch", "order.move", "order_refused"),
    )
)
"""Kinds that are told by the service, its feed and its policies, besides events they handle."""


@dataclass(frozen=True)
class Future:
    """A future from the branch instant on: what all policies start from.

    world    the world that goes on, not run
    known    what comes of calls at the desk
    film     what the service reads of others
    parts    constants of the kernel by name
    state    arrays of the kernel; decisions of policies are not in the calendar
    decides  us, kind and role of decisions pending for the present policies
    """

    world: World
    known: Answered
    film: reels.Film
    parts: Mapping[str, Any]
    state: State
    decides: tuple[tuple[int, int, str], ...]


class Standstill:
    """Branches of one live state, compiled.

    refusal  why none can be, "" when they can
    live     others go on as well, so a future needs the film of a run that witnessed them
    """

    parts, events, told = PARTS, EVENTS, TOLD

    def __init__(self, world: World, frozen: frozenset[str]) -> None:
        from twin.whatif.witness import reach

        self.world = world
        self.model: Emergency = world.assembly.by_name["emergency"]  # type: ignore[assignment]
        alive = {component.name for component in world.assembly.components} - frozen
        self.live = bool(alive - PARTS)
        lacking = sorted(PARTS - alive)
        kept = (policy for policy in world.assembly.policies if policy.role in layout.ROLES)
        mine = PARTS | {policy.name for policy in kept}
        self.refusal = f"{', '.join(lacking)} would have to go on" if lacking else next(_beyond(world), "")
        self.refusal = self.refusal or (
            reach(world.assembly, mine, TOLD, alive, _unwritten(world)) if self.live else ""
        )
        self._film: reels.Film = {}
        self._seen: dict[float, Array] = {}
        self._beliefs: dict[float, Any] = {}
        self._rules: dict[tuple[Policy, ...], dict[str, Any]] = {}
        self._ways: Any = None

    def topics(self) -> dict[str, reels.Topic]:
        """Return what a witness has to look at."""
        return reels.topics(self.world)

    def follows(self, film: reels.Film) -> bool:
        """Tell whether the kernel can follow a film: nobody kept units on scene."""
        return len(film["help"]) == 1

    def refuses(self, policies: tuple[Policy, ...]) -> str:
        """Return why a choice of policies needs the model itself, "" when it does not."""
        for policy in policies:
            if policy.role not in layout.ROLES and self.live:
                return f"{policy.name} changes more than the service"
        for policy in self._all(policies):
            orders = any(self.world.assembly.handler.get(order) is self.model for order in policy.commands)
            if policy.role not in layout.ROLES and not orders:
                continue
            if not rules.is_compiled(policy):
                return f"{policy.name} is not compiled"
        return "" if any(p.role == "dispatch" for p in self._all(policies)) else "nobody dispatches"

    def _all(self, policies: tuple[Policy, ...]) -> list[Policy]:
        """Return the policies of a branch in the order in which they decide."""
        from twin.whatif.switching import replaced

        return replaced(self.world.assembly.policies, policies)

    def future(self, child: World, end: int, film: reels.Film | None = None) -> Future:
        """Return what all policies start from.

        child  the world as it goes on with another seed, not run
        end    us, end of the horizon
        film   what a witness saw of others in this future; None when they stand still
        """
        from twin.kernels.calendar import schedule
        from twin.kernels.standstill_arrays import LOOK, SETTLED

        if film is not None or not self._film:
            self._film = film or reels.still(self.world)
            self._seen.clear()
        known = layout.answered(child, end)
        first = int(child.state["avl_unit_slot.count"][0])
        parts = {**reels.reels(self._film), **layout.demand(child, known), **self._places()}
        parts |= {"lost": layout.lost(child, first, end), "number": layout.numbers(child, first)}
        state = layout.state_of(child, self._memory())
        decides = layout.fill_calendar(child, state, known, end)
        for at in reels.closures(self._film):
            schedule(state.calendar, at, SETTLED, LOOK, 0, 0)
        return Future(child, known, self._film, parts, state, decides)

    def run(self, future: Future, policies: tuple[Policy, ...], end: int) -> dict[str, Array] | None:
        """Return the columns of `call` at an instant (us) under policies that begin now; none for the present ones.

        None when the order of two things at one instant is not known: the model has to run this branch.
        """
        from twin.kernels import standstill_arrays as kernel
        from twin.kernels.standstill import serve

        everybody = self._all(policies)
        dispatcher: Any = next(policy for policy in everybody if policy.role == "dispatch")
        number = future.parts["number"].copy()
        number[kernel.DECIDE_EVERY] = dispatcher.every
        seen = self._expected(future.film, dispatcher)
        case = kernel.Case(**{**future.parts, **self._orders(everybody), "number": number, "seen_time": seen})
        state = layout.copied(future.state)._replace(beliefs=self._belief(dispatcher.share))
        for ways, reel in ((state.ways, case.road), (state.beliefs, case.seen)):
            if self.live or reel.at.shape[0] > 1:
                ways.stamp[:] = -1
        self._let_decide(future, state, policies)
        status = serve(case, state, end)
        if status == kernel.CALENDAR_FULL:
            raise RuntimeError("the calendar of the compiled branch is full")
        return layout.columns(future.world, future.known, state, end) if status == kernel.DONE else None

    def _let_decide(self, future: Future, state: State, policies: tuple[Policy, ...]) -> None:
        """Put the decisions pending for policies that stay, then the first ones of those that begin."""
        from twin.kernels import standstill_arrays as kernel
        from twin.kernels.calendar import schedule

        begin = [policy for policy in self._all(policies) if any(policy is given for given in policies)]
        begin = [policy for policy in begin if policy.role in layout.ROLES]
        gone = {policy.role for policy in begin}
        decides = [(due, kind) for due, kind, role in future.decides if role not in gone]
        for policy in begin:
            first = TIMER if policy.every < NEVER else DECISION
            decides.append((future.world.now, layout.decision_kind(policy.role, first)))
        for due, kind in decides:
            schedule(state.calendar, due, kernel.DECISION, kind, 0, 0)
            state.clock[kernel.WAITS] |= kind == kernel.DECIDE
            state.clock[kernel.PLACING] |= kind == kernel.PLACE

    def _places(self) -> dict[str, Any]:
        city = self.world.assembly.city
        nodes = {name: np.asarray(city[f"{name}s"]["node"], np.int64) for name in ("hospital", "station")}
        return {"streets": self.model.fleet.streets.graph, **{f"{name}_node": node for name, node in nodes.items()}}

    def _orders(self, policies: Sequence[Policy]) -> dict[str, Any]:
        """Return the rules of policies as the kernel reads them."""
        mine = tuple(policy for policy in policies if policy.role in layout.ROLES)
        if mine not in self._rules:
            dispatcher = next(policy for policy in mine if policy.role == "dispatch")
            moves = rules.moves_of(mine, self.world)
            self._rules[mine] = {"rule": rules.rule_of(dispatcher), "moves": moves}
        return self._rules[mine]

    def _memory(self) -> tuple[Any, Any, Any]:
        """Return memory lent to every branch: of decisions, of trees from units, of trees to calls."""
        rows, city = self.world.state.layout.rows, self.world.assembly.city
        places = max(rows["unit"], int(np.asarray(city["stations"]["units"]).sum()))
        if self._ways is None:
            self._ways = self._trees(self.model.fleet.streets.nodes)
        return rules.work_of(places, city.rows("stations")), self._ways, self._ways

    def _trees(self, kept: int) -> Any:
        from twin.kernels.standstill_arrays import new_ways

        streets = self.model.fleet.streets
        return new_ways(streets.nodes, streets.length.shape[0], kept)

    def _belief(self, share: float) -> Any:
        """Return the memory of what policies of one belief about sirens expect."""
        key = 0.0 if self.live else share
        if key not in self._beliefs:
            self._beliefs[key] = self._trees(1)
        return self._beliefs[key]

    def _expected(self, film: reels.Film, policy: Any) -> Array:
        if policy.share not in self._seen:
            self._seen[policy.share] = reels.expected(film, policy.streets.free_time, policy.share)
        return self._seen[policy.share]


def _beyond(world: World) -> Iterator[str]:
    """Yield what in a state is beyond the kernel."""
    from twin.kernels.standstill_arrays import STEPS

    model: Any = world.assembly.by_name["emergency"]
    state, options = world.state, world.assembly.options["emergency"]
    if tuple(model.procedures["mission"]) != STEPS:
        yield "missions have other steps"
    changed = [o.name for o in model.options if o.name not in _FOLLOWED and options[o.name] != o.default]
    if changed or world.assembly.options["avl"].get("service"):
        yield f"emergency with {', '.join(changed) or 'a service'} is not compiled"
    if model.requests.role.any() or model.requests.referred.any():
        yield "incidents need several units"
    if any(total.any() for total in reels.helped(world)):
        yield "others keep units on scene"
    if any(name in state and state[name].any() for name in _FLAGS):
        yield "hospitals divert, or the service does what is not compiled"
    if state["kind_off.flag"].any():
        yield "an event was taken out"
    kinds = {event.kind for event in world.assembly.events if event.time >= world.now}
    ordered = {kind for kind in kinds if world.assembly.handler[kind] is model}
    if ordered - EVENTS:
        yield f"{', '.join(sorted(ordered - EVENTS))} is to come"
    rows = np.flatnonzero(state["pending.alive"])
    pending = {world.assembly.kinds[number] for number in np.unique(state["pending.kind"][rows]).tolist()}
    own = {kind for kind in pending if world.assembly.handler.get(kind) is model}
    if own - EVENTS:
        yield f"{', '.join(sorted(own - EVENTS))} is pending"


def _unwritten(world: World) -> frozenset[str]:
    """Return the fields that the service writes only where its plan says who goes to fires."""
    state = world.state
    fires = "desk.fires" in state and (state["desk.fires"].any() or (state["call.scenario"] >= 0).any())
    return frozenset() if fires else frozenset(_OF_FIRES)


_FOLLOWED = frozenset(
    (
        *("calls_factor", "call_takers", "dispatchers", "dispatch_time", "calls", "bad_calls", "talk_law"),
        *("patience_law", "patience", "answer_target", "triage_error", "spread", "siren_share", "retime", "track"),
        *("dark_factor", "aid_hours"),
    )
)
"""Options of the model whose every value the kernel follows; any other must have its default."""
_OF_FIRES = ("call.help", "call.scenario", "call.fights", "desk.fires")
_FLAGS = ("hospital.diverts", "hospital.ordered", "desk.upgrade", "unit.asked", "call.need", "unit.held")
