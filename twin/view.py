"""Views: all a component can see and do, checked against what it declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.calendar import Plan
from twin.contract import EVENT, OBSERVE, Component, Feed
from twin.errors import ContractError
from twin.rows import give_back, take

if TYPE_CHECKING:
    from twin.city import City
    from twin.engine import Engine

Array = np.ndarray[Any, Any]

_ALL = slice(None)
_PLAIN, _CAUSE = (int, float, bool), (int, type(None))
_NONE = np.empty(0, np.int64)
_NONE.flags.writeable = False


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
        self._causes: dict[str, str] = {}
        self._generation = -1
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
        generation = self._world.state.generation
        if self._generation != generation:
            self._arrays.clear()
            self._generation = generation
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
        self._own(name)
        return self._write(name, name, rows, values, cause)

    def add(self, name: str, rows: Any, values: Any, cause: Any = None) -> Array:
        """Write this component's own contribution to a group."""
        if name not in self._adds:
            raise ContractError(f"{self._component.name} contributes to {name!r} but does not declare it in adds")
        return self._write(f"{name}@{self._component.name}", name, rows, values, cause)

    def _write(self, array_name: str, field: str, rows: Any, values: Any, cause: Any) -> Array:
        array = self._world.state[array_name]
        if type(rows) is int and rows >= 0 and array.ndim == 1 and type(values) in _PLAIN and type(cause) in _CAUSE:
            return self._write_cell(array, field, rows, values, cause)
        if type(rows) is slice and rows == _ALL and array.ndim == 1:
            return self._write_all(array, field, values, cause)
        index = self._index(array_name, array.shape[0], rows)
        new = np.asarray(values, dtype=array.dtype)
        old = array[index]
        differs = old != new
        if array.dtype.kind == "f":
            differs &= ~(np.isnan(old) & np.isnan(new))
        if differs.ndim > 1:
            differs = differs.reshape(differs.shape[0], -1).any(axis=1)
        changed: Array = index[differs]
        if changed.shape[0]:
            array[changed] = new[differs] if new.ndim == array.ndim and new.shape[0] > 1 else new
            self._world.mark(field)
            companion = self._companion(field)
            if companion:
                causes = np.asarray(self.cause_id if cause is None else cause)
                self._world.state[companion][changed] = causes[differs] if causes.ndim else causes
        return changed

    def _write_cell(self, array: Array, field: str, row: int, value: Any, cause: int | None) -> Array:
        """Write one number to one row, as `_write` does but without an array for each."""
        new, old = array.dtype.type(value), array[row]
        if new == old or (array.dtype.kind == "f" and np.isnan(new) and np.isnan(old)):
            return _NONE
        array[row] = new
        self._world.mark(field)
        companion = self._companion(field)
        if companion:
            self._world.state.cells[companion][row] = self.cause_id if cause is None else cause
        return np.array([row])

    def _write_all(self, array: Array, field: str, values: Any, cause: Any) -> Array:
        """Write a value to every row, as `_write` does but without a number for each row."""
        new = np.asarray(values, dtype=array.dtype)
        differs = array != new
        if array.dtype.kind == "f":
            differs &= ~(np.isnan(array) & np.isnan(new))
        changed: Array = differs.nonzero()[0]
        if changed.shape[0]:
            array[changed] = new[differs] if new.ndim and new.shape[0] > 1 else new
            self._world.mark(field)
            companion = self._companion(field)
            if companion:
                causes = np.asarray(self.cause_id if cause is None else cause)
                self._world.state[companion][changed] = causes[differs] if causes.ndim else causes
        return changed

    def _companion(self, field: str) -> str:
        """Return the name of the array of a field's causes, "" when it is not traced."""
        name = self._causes.get(field)
        if name is None:
            name = f"{field}@cause"
            name = self._causes[field] = name if name in self._world.state else ""
        return name

    def _index(self, name: str, size: int, rows: Any) -> Array:
        if type(rows) is int and rows >= 0:
            return np.array([rows])
        if isinstance(rows, slice):
            return np.arange(size)[rows]
        given = np.atleast_1d(np.asarray(rows))
        if given.dtype == bool:
            if given.shape != (size,):
                raise ContractError(
                    f"{self._component.name} masks {name!r} with {given.shape[0]} flags for {size} rows"
                )
            return np.flatnonzero(given)
        index: Array = given.astype(np.int64)
        if index.size and index.min() < 0:
            raise ContractError(f"{self._component.name} writes row {index.min()} of {name!r}; rows begin at 0")
        return index

    def total(self, name: str) -> Array:
        """Return the sum of all contributions to an owned or read group."""
        if name not in self._readable and name not in self._owned:
            raise ContractError(f"{self._component.name} totals {name!r} but does not declare it")
        state = self._world.state
        parts = [state[a] for a in self._world.assembly.group_arrays[name]]
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
