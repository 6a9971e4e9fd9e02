"""Lay a live state of the emergency model out in the arrays of the kernel `standstill`, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.assembly import DECISION, TIMER
from twin.models.emergency.answering import Answered, Ringing, answer

if TYPE_CHECKING:
    from twin.kernels.standstill_arrays import State, Ways, Work
    from twin.world import World

Array = np.ndarray[Any, Any]

_CALL = ("stage", "unit", "dispatched", "on_scene", "at_hospital", "bay", "closed")
_UNIT = ("stage", "call", "hospital", "node", "leg_goal", "leg_count", "leg_stuck", "free", "station")
ROLES = ("dispatch", "relocation")
"""Roles of policies that the kernel plays."""
_SPARE = 4096
"""Rows of the kernel's calendar beside calls and units: orders on their way, samples."""


@dataclass(frozen=True)
class Stint:
    """A job of the model: row it is about, step to come, us when, -1 while it waits; place in the line, -1 for none."""

    row: int
    step: str
    due: int
    asked: int
    claim: int


def jobs(world: World, procedure: str) -> list[Stint]:
    """Return the jobs of a procedure of the emergency model."""
    state, assembly = world.state, world.assembly
    number = assembly.procedure_number[procedure]
    names = assembly.procedures[number][1]
    waiting = np.flatnonzero(state["claim.alive"] & (state["claim.granted"] < 0))
    claim_of = dict(zip(state["claim.job"][waiting].tolist(), waiting.tolist(), strict=True))
    found = []
    for job in np.flatnonzero(state["job.alive"] & (state["job.procedure"] == number)).tolist():
        pending, claim = int(state["job.pending"][job]), claim_of.get(job, -1)
        due = int(state["pending.due"][pending]) if pending >= 0 else -1
        asked = int(state["claim.asked"][claim]) if claim >= 0 else -1
        found.append(Stint(int(state["job.entity"][job]), names[int(state["job.step"][job])], due, asked, claim))
    return found


def numbers(child: World, first: int) -> Array:
    """Return the times of the service and its reports, `Case.number`; first is the number of the next sample."""
    from twin.kernels import standstill_arrays as kernel

    model: Any = child.assembly.by_name["emergency"]
    avl: Any = child.assembly.by_name["avl"]
    number = np.zeros(kernel.NUMBERS, np.int64)
    number[kernel.ORDER_DELAY] = child.assembly.setup.command_delay
    number[kernel.ORDER_WORK], number[kernel.TRACK_EVERY] = model.dispatch_time, model.track
    number[kernel.RETIME], number[kernel.FIRST_SAMPLE] = model.fleet.retime, first
    number[kernel.SAMPLE_EVERY], number[kernel.LATENCY] = avl.timing.every, avl.timing.latency
    return number


def lost(child: World, first: int, end: int) -> Array:
    """Return which reports are lost until an instant (us); (n_sample, n_unit)."""
    from twin.random import uniform

    avl: Any = child.assembly.by_name["avl"]
    units = child.state.layout.rows["unit"]
    samples = (end - child.now) // avl.timing.every + 2 if avl.timing.loss > 0 else 0
    luck = [uniform(avl.timing.seed, "avl.unit.loss", np.arange(units), first + i) for i in range(samples)]
    return np.asarray(np.array(luck).reshape(samples, units) < avl.timing.loss)


def demand(child: World, known: Answered) -> dict[str, Any]:
    """Return the calls; those triaged before have their instants in the state."""
    calls = child.assembly.by_name["emergency"].calls  # type: ignore[attr-defined]
    triaged, rung = child.state["call.triaged"], child.state["call.rung"]
    whole = ("node", "priority", "mobilise", "scene", "handover")
    return {
        "rung": np.where(rung >= 0, rung, calls.time).astype(np.int64),
        "known": np.where(triaged >= 0, triaged, known.known).astype(np.int64),
        "found": np.asarray(calls.triaged, np.int64),
        "transport": np.asarray(calls.transport, np.bool_),
        **{name: np.asarray(getattr(calls, name), np.int64) for name in whole},
    }


def answered(child: World, end: int) -> Answered:
    """Let the desk answer the calls in hand, those that ring, and those to come before an instant (us)."""
    from twin.kernels.standstill_arrays import FUTURE

    model: Any = child.assembly.by_name["emergency"]
    calls, state = model.calls, child.state
    work = jobs(child, "call")
    talking = [job for job in work if job.due >= 0]
    waiting = sorted((job for job in work if job.claim >= 0), key=lambda job: job.asked)
    ends = state["pending.due"][state["claim.patience"][[job.claim for job in waiting]]] if waiting else np.empty(0)
    coming = np.flatnonzero((state["call.stage"] == FUTURE) & (calls.time < end))
    coming = coming[np.argsort(calls.time[coming], kind="stable")]
    return answer(
        int(model.call_takers[0]),
        calls.talk,
        calls.patience,
        Ringing(np.array([job.row for job in talking], np.int64), np.array([job.due for job in talking], np.int64)),
        Ringing(np.array([job.row for job in waiting], np.int64), ends.astype(np.int64)),
        Ringing(coming, np.maximum(calls.time[coming], child.now)),
    )


def state_of(child: World, memory: tuple[Work, Ways, Ways]) -> State:
    """Return the state of calls, units, bays and reports; the calendar is empty.

    memory  what decisions and trees are written into
    """
    from twin.kernels import standstill_arrays as kernel
    from twin.kernels.calendar import new_calendar

    model: Any = child.assembly.by_name["emergency"]
    state, rows = child.state, child.state.layout.rows
    n_unit, n_call = rows["unit"], rows["call"]
    clock = np.zeros(kernel.CLOCKS, np.int64)
    clock[kernel.NOW], clock[kernel.IDLE] = child.now, state["dispatcher.idle"].sum()
    clock[kernel.SAMPLES] = state["avl_unit_slot.count"][0]
    call = np.stack([state[f"call.{name}"] for name in _CALL], axis=1).astype(np.int64)
    unit = np.full((n_unit, kernel.UNIT_COLUMNS), -1, np.int64)
    for place, name in enumerate(_UNIT):
        unit[:, place] = state[f"unit.{name}"]
    unit[:, kernel.U_SEEN_NODE], unit[:, kernel.U_SEEN_FREE] = state["observed_unit.node"], state["observed_unit.free"]
    slots = rows["avl_unit_slot"]
    flight = [state[f"avl_unit_flight.{name}"].reshape(slots, n_unit) for name in ("node", "free", "heard")]
    nodes = model.fleet.streets.nodes
    return kernel.State(
        clock,
        call,
        unit,
        state["unit.leg_path"].astype(np.int32),
        state["unit.leg_entry"].astype(np.int64),
        _free_bays(child),
        np.stack(flight, axis=2).astype(np.int64),
        np.full(n_call, -1, np.int64),
        np.zeros(max(nodes, state["unit.leg_path"].shape[1]), np.int64),
        np.zeros(n_unit, np.int64),
        np.zeros(n_unit, np.int64),
        np.zeros(n_unit),
        np.zeros(n_unit),
        *memory,
        new_calendar(n_call + n_unit + _SPARE),
    )


def _free_bays(child: World) -> Array:
    state, assembly = child.state, child.assembly
    number = assembly.resource_number["hospital_bay"]
    held = state["claim.alive"] & (state["claim.granted"] >= 0) & (state["claim.resource"] == number)
    bays = np.asarray(assembly.capacities[number], np.int64)
    return bays - np.bincount(state["claim.row"][held], minlength=bays.shape[0])


def fill_calendar(child: World, state: State, known: Answered, end: int) -> tuple[tuple[int, int, str], ...]:
    """Put what is pending into the calendar of the kernel; return the decisions pending, (us, kind, role), apart."""
    from twin.kernels import standstill_arrays as kernel
    from twin.kernels.calendar import schedule

    for work in jobs(child, "mission"):
        state.unit[work.row, kernel.U_STEP] = kernel.STEPS.index(work.step)
        state.unit[work.row, kernel.U_ASKED] = work.asked
        if work.due >= 0:
            handle = schedule(state.calendar, work.due, kernel.SERVICE, kernel.WAKE, work.row, 0)
            state.unit[work.row, kernel.U_HANDLE] = handle
    state.clock[kernel.ASKED] = state.unit[:, kernel.U_ASKED].max(initial=0)
    for work in jobs(child, "tracking"):
        schedule(state.calendar, work.due, kernel.SERVICE, kernel.TRACK, 0, 0)
    for call in np.flatnonzero(known.known < end).tolist():
        schedule(state.calendar, int(known.known[call]), kernel.SERVICE, kernel.TRIAGED, call, 0)
    return _fill_orders(child, state)


def _fill_orders(child: World, state: State) -> tuple[tuple[int, int, str], ...]:
    """Put orders, work of dispatchers and reports into the calendar; return the decisions of its policies."""
    from twin.kernels import standstill_arrays as kernel
    from twin.kernels.calendar import schedule

    kinds = {
        "dispatch": kernel.ORDER,
        "dispatcher_free": kernel.DISPATCHER_FREE,
        "move": kernel.MOVE,
        "unit_reroute": kernel.REROUTE,
    }
    reports = {"avl_sample": kernel.SAMPLE, "avl_arrival": kernel.ARRIVAL}
    table = {name: child.state[f"pending.{name}"] for name in ("due", "kind", "target", "value", "data", "seq")}
    alive = np.flatnonzero(child.state["pending.alive"])
    decides = []
    for row in alive[np.argsort(table["seq"][alive], kind="stable")].tolist():
        kind, due = child.assembly.kinds[int(table["kind"][row])], int(table["due"][row])
        target = int(table["target"][row])
        if kind in kinds:
            schedule(state.calendar, due, kernel.SERVICE, kinds[kind], target, round(float(table["value"][row])))
        elif kind in reports:
            schedule(state.calendar, due, kernel.REPORT, reports[kind], 0, int(table["data"][row]))
        elif kind in (TIMER, DECISION):
            role = child.assembly.policies[target].role
            decides.append((due, decision_kind(role, kind), role))
    return tuple(one for one in decides if one[2] in ROLES)


def decision_kind(role: str, kind: str) -> int:
    """Return the kernel's kind of a decision of a policy."""
    from twin.kernels import standstill_arrays as kernel

    if role == "relocation":
        return kernel.PLACE
    return kernel.TIMER if kind == TIMER else kernel.DECIDE


def copied(state: State) -> State:
    """Return a copy of a state that can be run; it shares the memory lent to decisions and trees."""
    from twin.kernels.calendar import Calendar

    lent = {"work", "ways", "beliefs", "calendar"}
    arrays: dict[str, Any] = {n: array.copy() for n, array in state._asdict().items() if n not in lent}
    calendar: list[Any] = [array.copy() for array in state.calendar]
    made: State = state._replace(**arrays, calendar=Calendar(*calendar))
    return made


def columns(child: World, known: Answered, state: State, end: int) -> dict[str, Array]:
    """Return the columns of `call` at an instant (us) that changed since the branch."""
    from twin.kernels import standstill_arrays as kernel

    old = child.state
    found = {f"call.{name}": state.call[:, i].astype(old[f"call.{name}"].dtype) for i, name in enumerate(_CALL)}
    calls = child.assembly.by_name["emergency"].calls  # type: ignore[attr-defined]
    stage, rung = found["call.stage"], old["call.rung"].copy()
    rings = (rung < 0) & (calls.time < end)
    rung[rings] = np.maximum(calls.time[rings], child.now)
    at_desk = (stage < kernel.WAITING) & (rung >= 0)
    stage[at_desk] = np.where(known.begun < end, kernel.TALKING, np.maximum(stage, kernel.RINGING))[at_desk]
    left = known.given_up < end
    stage[left] = kernel.ABANDONED
    found["call.closed"][left] = known.given_up[left]
    found["call.rung"] = rung
    found["call.triaged"] = np.where(known.known < end, known.known, old["call.triaged"])
    found["call.answered"] = np.where(known.begun < end, known.begun, old["call.answered"])
    return found
