"""Staged procedures: human work as rows that step through named stages.

Generators can be neither saved nor copied, so a job is a row (procedure, step,
entity, state) and a step is a method that returns Delay, Acquire, Park or Done.
simpy resources hold the queues; claims are their rows, re-requested in order
on restore: first those granted, by grant, then those waiting, by request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.calendar import Plan
from twin.contract import EVENT, NEVER, Acquire, Delay, Done, Park, StepResult
from twin.errors import ContractError
from twin.fields import Field
from twin.rows import give_back, list_fields, take

if TYPE_CHECKING:
    from twin.engine import Engine

JOBS = (
    Field("job.procedure", "int64", "1", "number of the procedure"),
    Field("job.step", "int64", "1", "step to do next, or being waited in"),
    Field("job.entity", "int64", "1", "row of whom or what the work is about"),
    Field("job.data", "int64", "1", "a second integer of the procedure's own"),
    Field("job.number", "int64", "1", "permanent number of the job"),
    Field("job.cause", "int64", "1", "event behind the job"),
    Field("job.pending", "int64", "1", "its row among pending events, -1 for none", -1),
    *list_fields("job"),
)
CLAIMS = (
    Field("claim.job", "int64", "1", "job that asks for or holds a server"),
    Field("claim.resource", "int64", "1", "number of the resource"),
    Field("claim.row", "int64", "1", "row whose server it is"),
    Field("claim.priority", "int64", "1", "lower is served first"),
    Field("claim.asked", "int64", "1", "order of asking, unique for ever"),
    Field("claim.granted", "int64", "1", "order of granting, -1 while waiting", -1),
    Field("claim.then", "int64", "1", "step when granted"),
    Field("claim.otherwise", "int64", "1", "step when patience ends, -1 for never"),
    Field("claim.patience", "int64", "1", "pending row of the end of patience, -1 for none", -1),
    *list_fields("claim"),
)
WAKE, RENEGE = "job.wake", "job.renege"
_ROW_BITS = 24


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its steps see it.

    ticket   names it for ever, for resume, interrupt and release
    entity   what it is about
    data     a second integer
    number   permanent number, for keyed random numbers
    """

    ticket: int
    entity: int
    data: int
    number: int


class Procedures:
    """Drives the jobs of one world."""

    def __init__(self, world: Engine) -> None:
        self._world = world
        self._resources: dict[tuple[int, int], Any] = {}
        self._requests: dict[int, Any] = {}
        self._claims: dict[int, list[int]] = {}

    def start(self, procedure: str, entity: int, data: int, cause: int) -> int:
        """Begin a procedure at its first step now; return the job's ticket."""
        world = self._world
        state = world.state
        row = take(state, "job")
        state["job.procedure"][row] = world.assembly.procedure_number[procedure]
        state["job.step"][row] = 0
        state["job.entity"][row] = entity
        state["job.data"][row] = data
        state["job.number"][row] = world.next_number()
        state["job.cause"][row] = cause
        state["job.pending"][row] = -1
        self._later(row, 0, 0)
        return self._ticket(row)

    def _ticket(self, row: int) -> int:
        return int(self._world.state["job.number"][row]) << _ROW_BITS | row

    def _row(self, ticket: int) -> int:
        """Return the row of a job, -1 when it is over."""
        number, row = ticket >> _ROW_BITS, ticket & (1 << _ROW_BITS) - 1
        state = self._world.state
        here = ticket >= 0 and row < state.layout.rows["job"] and state["job.alive"][row]
        return row if here and state["job.number"][row] == number else -1

    def _later(self, row: int, delay: int, step: int) -> None:
        self._stop_waiting(row)
        state = self._world.state
        state["job.step"][row] = step
        cause = int(state["job.cause"][row])
        pending = self._world.add_row(delay, Plan(WAKE, EVENT, row, cause=cause))
        state["job.pending"][row] = pending

    def wake(self, row: int) -> None:
        """Do the next step of a job."""
        world = self._world
        state = world.state
        state["job.pending"][row] = -1
        owner, names, procedure = world.assembly.procedures[int(state["job.procedure"][row])]
        step = int(state["job.step"][row])
        view = world.view(owner.name, int(state["job.cause"][row]))
        job = Job(
            self._ticket(row), int(state["job.entity"][row]), int(state["job.data"][row]), int(state["job.number"][row])
        )
        result = getattr(owner, f"{procedure}_{names[step]}")(view, job)
        state = world.state
        if view.cause_changed:
            state["job.cause"][row] = view.cause_id
        self._follow(row, step, names, result)

    def _follow(self, row: int, step: int, names: tuple[str, ...], result: StepResult) -> None:
        self._stop_waiting(row)
        if isinstance(result, Done):
            self._end(row)
        elif isinstance(result, Delay):
            self._later(row, result.time, self._step(names, result.then, step + 1))
        elif isinstance(result, Acquire):
            self._ask(row, result, names, step)
        elif isinstance(result, Park):
            self._world.state["job.step"][row] = self._step(names, result.then, step + 1)
        else:
            raise ContractError(
                f"step {names[step]!r} returned {result!r}; it must return Delay, Acquire, Park or Done"
            )

    @staticmethod
    def _step(names: tuple[str, ...], wanted: str, default: int) -> int:
        return names.index(wanted) if wanted else default

    def _end(self, row: int) -> None:
        for claim in self._claims_of(row):
            self._release(claim)
        self._stop_waiting(row)
        give_back(self._world.state, "job", row)

    def _stop_waiting(self, row: int) -> None:
        state = self._world.state
        pending = int(state["job.pending"][row])
        if pending >= 0:
            self._world.calendar.drop(pending)
            state["job.pending"][row] = -1

    def _claims_of(self, job: int) -> list[int]:
        return list(self._claims.get(job, ()))

    def _waiting(self, row: int) -> list[int]:
        return [c for c in self._claims_of(row) if self._world.state["claim.granted"][c] < 0]

    def resume(self, ticket: int, then: str = "", cause: int = -1) -> bool:
        """Go on with a parked job now; False when it is not parked, or over."""
        row = self._row(ticket)
        if row < 0 or self._world.state["job.pending"][row] >= 0 or self._waiting(row):
            return False
        self._jump(row, then, cause)
        return True

    def interrupt(self, ticket: int, then: str, cause: int = -1) -> bool:
        """Break off whatever a job waits for and go on at step `then` now; False when it is over."""
        row = self._row(ticket)
        if row < 0:
            return False
        for claim in self._waiting(row):
            self._release(claim)
        self._jump(row, then, cause)
        return True

    def _jump(self, row: int, then: str, cause: int) -> None:
        state = self._world.state
        if cause >= 0:
            state["job.cause"][row] = cause
        names = self._world.assembly.procedures[int(state["job.procedure"][row])][1]
        self._later(row, 0, self._step(names, then, int(state["job.step"][row])))

    def release(self, ticket: int, resource: str) -> bool:
        """Give back the servers of one resource that a job holds; False when it is over."""
        row = self._row(ticket)
        number = self._world.assembly.resource_number[resource]
        for claim in self._claims_of(row):
            if self._world.state["claim.resource"][claim] == number:
                self._release(claim)
        return row >= 0

    def _ask(self, job: int, ask: Acquire, names: tuple[str, ...], step: int) -> None:
        world = self._world
        claim = take(world.state, "claim")
        state = world.state
        state["claim.job"][claim] = job
        self._claims.setdefault(job, []).append(claim)
        state["claim.resource"][claim] = world.assembly.resource_number[ask.resource]
        state["claim.row"][claim] = ask.row
        state["claim.priority"][claim] = ask.priority
        state["claim.asked"][claim] = world.next_number()
        state["claim.granted"][claim] = -1
        state["claim.then"][claim] = self._step(names, ask.then, step + 1)
        state["claim.otherwise"][claim] = names.index(ask.otherwise) if ask.otherwise else -1
        state["claim.patience"][claim] = -1
        if ask.patience < NEVER:
            cause = int(state["job.cause"][job])
            state["claim.patience"][claim] = world.add_row(ask.patience, Plan(RENEGE, EVENT, claim, cause=cause))
        self._request(claim)

    def _resource(self, claim: int) -> Any:
        import simpy

        world = self._world
        key = (int(world.state["claim.resource"][claim]), int(world.state["claim.row"][claim]))
        if key not in self._resources:
            capacity = int(world.assembly.capacities[key[0]][key[1]])
            self._resources[key] = simpy.PriorityResource(world.calendar.env, capacity=capacity)
        return self._resources[key]

    def _request(self, claim: int) -> None:
        request = self._resource(claim).request(priority=int(self._world.state["claim.priority"][claim]))
        self._requests[claim] = request
        if self._world.state["claim.granted"][claim] < 0:
            asked = int(self._world.state["claim.asked"][claim])
            request.callbacks.append(lambda _: self._granted(claim, asked))

    def _granted(self, claim: int, asked: int) -> None:
        state = self._world.state
        if not state["claim.alive"][claim] or state["claim.asked"][claim] != asked:
            return
        state["claim.granted"][claim] = self._world.next_number()
        patience = int(state["claim.patience"][claim])
        if patience >= 0:
            self._world.calendar.drop(patience)
            state["claim.patience"][claim] = -1
        self._later(int(state["claim.job"][claim]), 0, int(state["claim.then"][claim]))

    def renege(self, claim: int) -> None:
        """End a claim whose patience is over."""
        state = self._world.state
        job, otherwise = int(state["claim.job"][claim]), int(state["claim.otherwise"][claim])
        state["claim.patience"][claim] = -1
        self._release(claim)
        self._later(job, 0, otherwise)

    def _release(self, claim: int) -> None:
        state = self._world.state
        patience = int(state["claim.patience"][claim])
        if patience >= 0:
            self._world.calendar.drop(patience)
            state["claim.patience"][claim] = -1
        request = self._requests.pop(claim)
        resource = self._resource(claim)
        if request.triggered:
            resource.release(request)
        else:
            request.cancel()
        self._claims[int(state["claim.job"][claim])].remove(claim)
        give_back(state, "claim", claim)

    def restore(self) -> None:
        """Ask again for every living claim, in the order that rebuilds the queues."""
        state = self._world.state
        claims = np.flatnonzero(state["claim.alive"])
        granted = state["claim.granted"][claims]
        asked = state["claim.asked"][claims]
        waits = granted < 0
        urgency = np.where(waits, state["claim.priority"][claims], 0)
        order = np.lexsort((np.where(waits, asked, granted), urgency, waits))
        for claim in claims[order].tolist():
            self._request(claim)
        for claim in claims[np.argsort(asked, kind="stable")].tolist():
            self._claims.setdefault(int(state["claim.job"][claim]), []).append(claim)
        env = self._world.calendar.env
        while env.peek() == env.now:
            env.step()
