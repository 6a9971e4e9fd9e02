"""The engine of a run: instants in order, events to their handlers, models to a solution.

One instant: due events, feeds, policies, then every model that reads a changed
field solves once in computed order, then the series are measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from twin.assembly import ACT, BEGIN, DECISION, MEASURE, SETTLE, TIMER, Assembly
from twin.calendar import LATER, Calendar, Plan
from twin.contract import DECIDE, EVENT, NEVER, RECORD, SECOND, Component, Event, Model
from twin.deciding import decide
from twin.errors import ContractError, RunError, TwinError
from twin.fields import State
from twin.log import event_log, parent_log, series_log
from twin.procedure import RENEGE, WAKE, Procedures
from twin.view import View

if TYPE_CHECKING:
    from twin.agents import Handles

_LAG = SECOND


class Engine:
    """Clock, state arrays, pending events, and the loop over instants."""

    def __init__(self, assembly: Assembly, state: State | None = None) -> None:
        self.assembly = assembly
        self.state = State(assembly.layout) if state is None else state
        self._now = int(self.state["engine.now"][0])
        self.events = event_log()
        self.parents = parent_log()
        self.series = series_log()
        self._views: dict[str, View] = {}
        self._handles: Handles | None = None
        self._settling = False
        self._advancing = ""
        self._due: int | None = None
        self._audience: dict[str, tuple[Component, ...]] = {}
        self._telling: dict[str, tuple[int, int, Sequence[int]]] = {}
        self._measured = [c for c in assembly.components if isinstance(c, Model) and c.series]
        self._moving = frozenset(
            c.name for c in assembly.components if isinstance(c, Model) and type(c).advance is not Model.advance
        )

    @property
    def now(self) -> int:
        """Time since the start of the run, us."""
        return self._now

    def _set_now(self, time: int) -> None:
        self._now = time
        self.state.cells["engine.now"][0] = time

    @property
    def seed(self) -> int:
        """Seed of every keyed random number."""
        return self.assembly.setup.seed

    @cached_property
    def calendar(self) -> Calendar:
        """The simpy clock, armed from the pending rows when first needed."""
        self._wind_up()
        return self.calendar

    @cached_property
    def procedures(self) -> Procedures:
        """The driver of staged procedures."""
        self._wind_up()
        return self.procedures

    @property
    def handles(self) -> Handles:
        """The mesa handles of the people who decide, made when first needed."""
        if self._handles is None:
            from twin.agents import Handles

            self._handles = Handles(self.seed)
        return self._handles

    def _wind_up(self) -> None:
        self.calendar = Calendar(self.state, self.now, self._fire)
        self.procedures = Procedures(self)
        self.procedures.restore()
        self.calendar.arm_all()

    def view(self, name: str, cause: int = -1) -> View:
        """Return a component's view, with the event it acts for."""
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = View(self, self.assembly.by_name[name])
        view.cause_id = cause
        view.cause_changed = False
        return view

    def add_row(self, delay: int, plan: Plan) -> int:
        """Write a pending event `delay` us from now and arm it; return its row."""
        if delay < 0 or (delay == 0 and self._settling):
            raise TwinError(f"delay ({delay} us) of {plan.kind!r} must be at least {int(self._settling)} us here")
        self._refuse_while_advancing("schedule an event")
        number = self.assembly.kind_number.get(plan.kind)
        if number is None:
            raise TwinError(f"nobody in this run handles event {plan.kind!r}")
        seq = self.state.cells["engine.seq"]
        count = seq[0] = seq[0] + 1
        return self.calendar.add(self._now + int(delay), count, number, plan)

    def pending_number(self, row: int) -> int:
        """Return a number that names a pending row for ever: its row and seq."""
        return int(self.state.cells["pending.seq"][row]) * 2**24 + row

    def cancel(self, number: int) -> bool:
        """Drop a pending event by its number; False when it is gone."""
        if number < 0:
            return False
        seq, row = divmod(number, 2**24)
        state = self.state
        if not (state["pending.alive"][row] and state["pending.seq"][row] == seq):
            return False
        self.calendar.drop(row)
        return True

    def next_number(self) -> int:
        """Return the next permanent number."""
        number = self.state.cells["engine.number"]
        count = number[0] = number[0] + 1
        return int(count)

    def mark(self, name: str) -> None:
        """Note that a field changed."""
        if self._advancing:
            self._refuse_while_advancing("change a field that others read")
        told = self._telling.get(name)
        if told is None:
            told = self._telling[name] = self._whom_to_tell(name)
        number, readers, laggards = told
        cells = self.state.cells
        write = cells["engine.write"]
        count = write[0] = write[0] + 1
        cells["written.stamp"][number] = count
        if self._due is not None:
            self._due |= readers
        for model in laggards:
            asked = cells["lag_asked.time"]
            if asked[model] != self._now:
                asked[model] = self._now
                self.add_row(_LAG, Plan(SETTLE, EVENT, model))

    def _whom_to_tell(self, name: str) -> tuple[int, int, Sequence[int]]:
        """Return the number of a field, a bit for each model that solves when it changes, and who solves later."""
        assembly = self.assembly
        number = assembly.field_number[name]
        readers = sum(1 << i for i, _, inputs in assembly.solvers if number in inputs)
        return number, readers, assembly.laggards.get(name, ())

    def _refuse_while_advancing(self, deed: str) -> None:
        if self._advancing:
            raise ContractError(f"{self._advancing}.advance must not {deed}: how a run is cut would change its result")

    def emit(self, kind: str, target: int, value: float, data: int, parents: list[int]) -> int:
        """Log an event with its causes and let policies that wait for it decide."""
        counter = self.state.cells["engine.event"]
        event = int(counter[0])
        counter[0] = event + 1
        self.events.append(self.now, kind, int(target), float(value), int(data))
        for parent in dict.fromkeys(p for p in parents if p >= 0):
            self.parents.append(event, int(parent))
        for policy in self.assembly.triggers.get(kind, ()):
            self._let_decide(policy, event)
        return event

    def _let_decide(self, policy: int, cause: int) -> None:
        waits = self.state.cells["policy_due.waits"]
        if not waits[policy]:
            waits[policy] = True
            self.add_row(int(self._settling), Plan(DECISION, DECIDE, policy, cause=cause))

    def step(self) -> int | None:
        """Handle the next instant only; return its time, None when nothing is left."""
        self._begin()
        instant = self.calendar.peek()
        if math.isinf(instant):
            return None
        self._instant(int(instant))
        return int(instant)

    def _begin(self) -> None:
        if self.state["engine.begun"][0]:
            return
        self.state["engine.begun"][0] = True
        self.add_row(0, Plan(BEGIN, EVENT))
        for component in [*self.assembly.components, *self.assembly.policies]:
            self.guard(component, "start", self.view(component.name))
        for i, event in enumerate(self.assembly.events):
            self.add_row(event.time, Plan(ACT, EVENT, i, data=i))
        for i, policy in enumerate(self.assembly.policies):
            if policy.every < NEVER:
                self.add_row(0, Plan(TIMER, DECIDE, i))
        self.add_row(0, Plan(MEASURE, RECORD))

    def _instant(self, time: int) -> None:
        """Let everything due now happen; what solving sets free (servers, say) is handed on at once."""
        self._set_now(time)
        calendar = self.calendar
        while True:
            while calendar.due(time) < RECORD:
                calendar.env.step()
            self._settle()
            priority = calendar.due(time)
            if priority == LATER:
                return
            if priority >= RECORD:
                calendar.env.step()

    def _settle(self) -> None:
        """Let every model that has something new to read solve once, in order."""
        if self._due is None:
            self._due = self._find_due()
        if not self._due:
            return
        self._settling = True
        cells = self.state.cells
        try:
            for i, component, _ in self.assembly.solvers:
                if self._due >> i & 1:
                    self._due &= ~(1 << i)
                    cells["solved.stamp"][i] = cells["engine.write"][0]
                    self._advance(component)
                    self.guard(component, "step", self.view(component.name))
        finally:
            self._settling = False

    def _find_due(self) -> int:
        """Return a bit for each model that has something new to read, from the stamps; `mark` keeps them up."""
        written, solved = self.state["written.stamp"], self.state["solved.stamp"]
        news = (i for i, _, inputs in self.assembly.solvers if len(inputs) and written[inputs].max() > solved[i])
        unsolved = (i for i, _, _ in self.assembly.solvers if solved[i] < 0)
        return sum(1 << i for i in {*news, *unsolved})

    def _advance(self, component: Component) -> None:
        if component.name in self._moving:
            self._advancing = component.name
            self.guard(component, "advance", self.view(component.name), self._now)
            self._advancing = ""

    def guard(self, component: Component, method: str, *arguments: Any) -> Any:
        """Call a method of a component; a foreign error becomes a RunError that names the place."""
        try:
            return getattr(component, method)(*arguments)
        except TwinError:
            raise
        except Exception as error:
            event = f"({arguments[-1].kind})" if isinstance(arguments[-1], Event) else ""
            where = f"{component.name}.{method}{event} at {self.now / SECOND:.6f} s"
            raise RunError(f"{where} failed: {type(error).__name__}: {error}") from error

    def _fire(self, row: int) -> None:
        cells = self.state.cells
        kind = self.assembly.kinds[cells["pending.kind"][row]]
        target, data = cells["pending.target"][row], cells["pending.data"][row]
        value, cause = cells["pending.value"][row], cells["pending.cause"][row]
        self.calendar.drop(row)
        special = _ENGINE.get(kind)
        if special is not None:
            special(self, target, cause)
        else:
            self._dispatch(kind, target, value, data, cause)

    def _dispatch(self, kind: str, target: int, value: float, data: int, cause: int) -> None:
        quiet = self.assembly.event_kinds[kind].quiet
        event_id = cause if quiet else self.emit(kind, target, value, data, [cause])
        self._hand_over(Event(kind, self.now, target, value, data, event_id))

    def _hand_over(self, event: Event) -> None:
        audience = self._audience.get(event.kind)
        if audience is None:
            listeners = self.assembly.listeners.get(event.kind, ())
            audience = self._audience[event.kind] = (self.assembly.handler[event.kind], *listeners)
        for component in audience:
            self._advance(component)
            self.guard(component, "on_event", self.view(component.name, event.id), event)

    def _scenario_event(self, index: int, cause: int) -> None:
        if self.state["kind_off.flag"][index]:
            return
        planned = self.assembly.events[index]
        first = planned.targets[0] if len(planned.targets) else -1
        event_id = self.emit(planned.kind, first, float(len(planned.targets)), index, [cause])
        event = Event(planned.kind, self.now, first, 0.0, index, event_id, planned.params)
        self._hand_over(event)

    def _timer(self, policy: int, cause: int) -> None:
        self.add_row(self.assembly.policies[policy].every, Plan(TIMER, DECIDE, policy))
        decide(self, policy, self._woken_by(policy))

    def _woken_by(self, policy: int) -> int:
        """Return the event for which a policy is about to decide, -1 for none."""
        state = self.state
        if not state["policy_due.waits"][policy]:
            return -1
        ours = state["pending.alive"] & (state["pending.kind"] == self.assembly.kind_number[DECISION])
        return int(state["pending.cause"][ours & (state["pending.target"] == policy)][0])

    def _decision(self, policy: int, cause: int) -> None:
        self.state["policy_due.waits"][policy] = False
        decide(self, policy, cause)

    def _settle_later(self, model: int, cause: int) -> None:
        self.state["solved.stamp"][model] = -1
        if self._due is not None:
            self._due |= 1 << model

    def _measure(self, target: int, cause: int) -> None:
        self.add_row(self.assembly.setup.measure_every, Plan(MEASURE, RECORD))
        for component in self._measured:
            self._advance(component)
            for name, value in component.measure(self.view(component.name)).items():
                self.series.append(self._now, name, float(value))

    def _nothing(self, target: int, cause: int) -> None:
        pass


_ENGINE: dict[str, Callable[[Engine, int, int], None]] = {
    WAKE: lambda engine, target, _: engine.procedures.wake(target),
    RENEGE: lambda engine, target, _: engine.procedures.renege(target),
    ACT: Engine._scenario_event,
    BEGIN: Engine._nothing,
    TIMER: Engine._timer,
    DECISION: Engine._decision,
    SETTLE: Engine._settle_later,
    MEASURE: Engine._measure,
}
