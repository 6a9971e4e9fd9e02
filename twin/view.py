"""Views: all a component can see and do, checked against what it declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from twin.calendar import Plan
from twin.columns import WHOLE, Column
from twin.contract import EVENT, OBSERVE, Command, Component, Feed
from twin.errors import ContractError
from twin.rows import give_back, take

if TYPE_CHECKING:
    from twin.city import City
    from twin.engine import Engine

Array = np.ndarray[Any, Any]
Kept = TypeVar("Kept")

_ALL = slice(None)


class View:
    """A component's window on the world during one call.

    Reading gives read-only arrays; writing goes through `put`, which notes what
    changed and why, or through `raw` for the private columns of a kernel.
    """

    def __init__(self, world: Engine, component: Component) -> None:
        self._world = world
        self._component = component
        assembly = world.assembly
        self._owned = assembly.owned[component.name]
        self._readable = assembly.readable[component.name]
        self._adds = assembly.adds[component.name]
        self._priority = OBSERVE if isinstance(component, Feed) else EVENT
        self._arrays: dict[str, Array] = {}
        self._columns: dict[str, Column] = {}
        self._parts: dict[str, Column] = {}
        self._kept: dict[str, Any] = {}
        world.state.mirrors.extend((self._arrays, self._columns, self._parts, self._kept))
        self.cause_id = -1
        self.cause_changed = False

    @property
    def now(self) -> int:
        """Time since the start of the run, us."""
        return self._world.now

    @property
    def city(self) -> City:
        """The frozen city."""
        return self._world.assembly.city

    def __getitem__(self, name: str) -> Array:
        array = self._arrays.get(name)
        if array is None:
            if name.partition("@")[0] not in self._readable:
                raise ContractError(f"{self._component.name} uses {name!r} but does not declare it in owns or reads")
            array = self._world.state.frozen(name)
            self._arrays[name] = array
        return array

    def __contains__(self, name: object) -> bool:
        return name in self._readable

    def rows(self, table: str) -> int:
        """Return how many rows a table has now."""
        return self._world.state.layout.rows[table]

    def raw(self, name: str) -> Array:
        """Return a writable array of an owned field, for kernels; call `touch` if others read it.

        It holds until the next call that may add a row (schedule, begin, take, add): a table that
        grows moves all arrays, so fetch again after such a call.
        """
        if name not in self._owned:
            self._own(name)
        array: Array = self._world.state[name]
        return array

    def keep(self, name: str, make: Callable[[View], Kept]) -> Kept:
        """Return what `make` makes of arrays of this view; made anew when they move (see `raw`), and only then."""
        kept: Kept | None = self._kept.get(name)
        if kept is None:
            kept = self._kept[name] = make(self)
        return kept

    def _own(self, name: str) -> None:
        if name not in self._owned:
            raise ContractError(f"{self._component.name} writes {name!r} but does not own it")

    def touch(self, name: str) -> None:
        """Say that `raw` changed a field others read."""
        self._world.mark(name)

    def put(self, name: str, rows: Any, values: Any, cause: Any = None) -> Array:
        """Write values to rows of an owned field; return the rows that changed.

        rows    integer row, array of rows or of one flag per row, or slice(None) for all
        values  scalar or one per row
        cause   event id, or one per row; default the event being handled
        """
        column = self._columns.get(name)
        if column is None:
            self._own(name)
            column = self._columns[name] = Column(self._world.state, name, name)
        return self._write(column, rows, values, self.cause_id if cause is None else cause)

    def add(self, name: str, rows: Any, values: Any, cause: Any = None) -> Array:
        """Write this component's own contribution to a group."""
        column = self._parts.get(name)
        if column is None:
            if name not in self._adds:
                raise ContractError(f"{self._component.name} contributes to {name!r} but does not declare it in adds")
            column = self._parts[name] = Column(self._world.state, f"{name}@{self._component.name}", name)
        return self._write(column, rows, values, self.cause_id if cause is None else cause)

    def _write(self, column: Column, rows: Any, values: Any, cause: Any) -> Array:
        if type(values) in column.takes and type(rows) in WHOLE and rows >= 0 and type(cause) in WHOLE:
            changed = column.put_cell(rows, values, cause)
        elif type(rows) is slice and rows == _ALL and column.array.ndim == 1:
            changed = column.put_all(values, cause)
        else:
            changed = column.put_rows(self._index(column, rows), values, cause)
        if changed.shape[0]:
            self._world.mark(column.field)
        return changed

    def _index(self, column: Column, rows: Any) -> Array:
        """Return rows as an array of them."""
        size = column.array.shape[0]
        if type(rows) is int and rows >= 0:
            return np.array([rows])
        if isinstance(rows, slice):
            return np.arange(size)[rows]
        given = np.atleast_1d(np.asarray(rows))
        if given.dtype == bool:
            if given.shape != (size,):
                told = f"masks {column.field!r} with {given.shape[0]} flags for {size} rows"
                raise ContractError(f"{self._component.name} {told}")
            return given.nonzero()[0]
        index: Array = given.astype(np.int64, copy=False)
        if index.size and index.min() < 0:
            raise ContractError(f"{self._component.name} writes row {index.min()} of {column.field!r}; rows begin at 0")
        return index

    def total(self, name: str, others: bool = False) -> Array:
        """Return the sum of all contributions to an owned or read group, or of those of others alone."""
        if name not in self._readable and name not in self._owned:
            raise ContractError(f"{self._component.name} totals {name!r} but does not declare it")
        state = self._world.state
        own = f"{name}@{self._component.name}"
        parts = [state[a] for a in self._world.assembly.group_arrays[name] if not others or a != own]
        if not parts:
            field = self._world.assembly.fields[name]
            return np.zeros((state.layout.rows[field.table], *field.width), field.dtype)
        total = parts[0].copy()
        for part in parts[1:]:
            total += part
        return total

    def cause(self, name: str, row: int) -> int:
        """Return the event that last changed one row of a traced field, -1 for none."""
        if name not in self._readable and name not in self._owned:
            raise ContractError(f"{self._component.name} asks the cause of {name!r} but does not declare it")
        return int(self._world.state[f"{name}@cause"][row])

    def schedule(
        self, kind: str, delay: int = 0, target: int = -1, value: float = 0.0, data: int = -1, cause: int | None = None
    ) -> int:
        """Let an event happen `delay` us from now; return its pending number for `cancel`."""
        reason = self.cause_id if cause is None else cause
        plan = Plan(kind, self._priority, int(target), float(value), int(data), int(reason))
        row = self._world.add_row(delay, plan)
        return self._world.pending_number(row)

    def order(self, kind: str, target: int = -1, value: float = 0.0) -> None:
        """Order an event as a policy does: logged, late by the communication delay and by what holds orders up."""
        from twin.deciding import give

        give(self._world, Command(kind, target, value), [self.cause_id])

    def cancel(self, number: int) -> bool:
        """Take back a scheduled event; False when it has happened already."""
        return self._world.cancel(number)

    def emit(
        self, kind: str, target: int = -1, value: float = 0.0, data: int = -1, causes: Sequence[int] | None = None
    ) -> int:
        """Log that something happened now; return the event's id.

        causes  ids of the events behind it; default the event being handled
        """
        parents = [self.cause_id] if causes is None else list(causes)
        return self._world.emit(kind, target, value, data, parents)

    def because(self, event: int) -> None:
        """Make `event` the cause of what this call does from here on."""
        self.cause_id = event
        self.cause_changed = True

    def begin(self, procedure: str, entity: int, data: int = -1, cause: int | None = None) -> int:
        """Start a staged procedure now; return the job's ticket."""
        return self._world.procedures.start(procedure, entity, data, self.cause_id if cause is None else cause)

    def resume(self, job: int, then: str = "") -> bool:
        """Go on with a parked job now; False when it is not parked, or over."""
        return self._world.procedures.resume(job, then, self.cause_id)

    def interrupt(self, job: int, then: str) -> bool:
        """Break off what a job waits for and go on at step `then`; False when it is over."""
        return self._world.procedures.interrupt(job, then, self.cause_id)

    def release(self, job: int, resource: str) -> bool:
        """Give back a server a job holds; False when it is over."""
        return self._world.procedures.release(job, resource)

    def take(self, table: str) -> int:
        """Return a free row of an owned table that grows."""
        self._own(f"{table}.alive")
        return take(self._world.state, table)

    def give_back(self, table: str, row: int) -> None:
        """Return a row of an owned table to its free list."""
        self._own(f"{table}.alive")
        give_back(self._world.state, table, row)

    def uniform(self, stream: str, entity: int, draw: int = 0) -> float:
        """Return the keyed uniform number of one entity."""
        from twin.random import uniform_one

        return uniform_one(self._world.seed, stream, entity, draw)

    def number(self) -> int:
        """Return the next permanent number, unique for ever in this run."""
        return self._world.next_number()


class Observation:
    """What a policy sees: declared observable fields, the city, and its deciders."""

    def __init__(self, world: Engine, policy: Component, sees: Sequence[str], trigger: int) -> None:
        self._world = world
        self._policy = policy
        self._sees = set(sees)
        self.trigger = trigger

    @property
    def now(self) -> int:
        """Time since the start of the run, us."""
        return self._world.now

    @property
    def city(self) -> City:
        """The frozen city."""
        return self._world.assembly.city

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of this policy."""
        return self._world.assembly.options[self._policy.name]

    def __getitem__(self, name: str) -> Array:
        if name not in self._sees:
            raise ContractError(f"policy {self._policy.name!r} looks at {name!r} but does not declare it in sees")
        return self._world.state.frozen(name)

    def rows(self, table: str) -> int:
        """Return how many rows a table has now."""
        return self._world.state.layout.rows[table]

    def agents(self, table: str) -> Any:
        """Return the mesa AgentSet of the people in a table who decide."""
        return self._world.handles.of(table, self)

    def uniform(self, stream: str, entity: int, draw: int = 0) -> float:
        """Return the keyed uniform number of one entity."""
        from twin.random import uniform_one

        return uniform_one(self._world.seed, stream, entity, draw)
