"""An assembly: the city and components of a run, set up, without its state.

Everything here is constant and shared by all branches of a world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.calendar import PENDING
from twin.city.schema import SCHEMA
from twin.contract import Component, EventKind, Feed, Model, Policy, Setup
from twin.errors import ContractError
from twin.fields import Field, Layout, columns_of
from twin.order import solve_order
from twin.procedure import CLAIMS, JOBS, RENEGE, WAKE

if TYPE_CHECKING:
    from twin.city import City

ENGINE_ROWS = {"pending": 512, "job": 128, "claim": 64, "engine": 1, "pending_list": 1, "job_list": 1, "claim_list": 1}
BEGIN, TIMER, DECISION, SETTLE, MEASURE, ACT = (
    "engine.begin",
    "engine.timer",
    "engine.decide",
    "engine.settle",
    "engine.measure",
    "engine.act",
)
ENGINE_KINDS = (ACT, BEGIN, DECISION, MEASURE, RENEGE, SETTLE, TIMER, WAKE)
ENGINE = (
    Field("engine.now", "int64", "us", "time since the start of the run"),
    Field("engine.seq", "int64", "1", "pending events ever written"),
    Field("engine.number", "int64", "1", "permanent numbers ever given"),
    Field("engine.event", "int64", "1", "events ever logged"),
    Field("engine.write", "int64", "1", "changes ever made to fields"),
    Field("engine.begun", "bool", "1", "the first instant has been prepared"),
    Field("written.stamp", "int64", "1", "last change of each field"),
    Field("solved.stamp", "int64", "1", "last change each model has seen", -1),
    Field("lag_asked.time", "int64", "us", "instant at which a later solution was last asked for", -1),
    Field("policy_due.waits", "bool", "1", "a decision is already pending"),
    Field("kind_off.flag", "bool", "1", "scenario event has been taken out"),
)


class Assembly:
    """Components in solving order, the layout of their state, and their tables.

    components  models and feeds in the order they solve
    policies    rules of the command centre
    events      scenario events, resolved
    """

    def __init__(
        self,
        city: City,
        components: Iterable[Component],
        policies: Iterable[Policy],
        setup: Setup,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.city = city
        self.setup = setup
        self.events: Sequence[Any] = setup.events
        parts = [*components, *policies]
        self.options = {c.name: _with_defaults(c, (options or {}).get(c.name, {}), city) for c in parts}
        self._register(parts)
        self._check_tables(parts)
        self.components = solve_order([c for c in parts if not isinstance(c, Policy)], self.owner_of)
        self.policies = [c for c in parts if isinstance(c, Policy)]
        self._connect(parts)
        self.own_rows = self._set_up(parts, setup)
        self._lay_out(parts, self.own_rows)
        self._number_kinds(parts)
        self._number_procedures()

    def varied(
        self,
        components: Sequence[Component],
        policies: Sequence[Policy],
        setup: Setup,
        options: Mapping[str, Mapping[str, Any]],
        rows: Mapping[str, int],
    ) -> Assembly:
        """Return this assembly with other components and policies, which are set up already.

        components  the same models and feeds, in solving order, perhaps with other constants
        policies    in the order of this assembly's; further roles behind
        rows        rows of the tables whose number they change
        """
        other = copy(self)
        parts = [*components, *policies]
        other.setup, other.options = setup, {name: dict(given) for name, given in options.items()}
        other.components, other.policies = list(components), list(policies)
        other.own_rows = {**self.own_rows, **rows}
        other._register(parts)
        other._check_tables(parts)
        other._connect(parts)
        other._lay_out(parts, other.own_rows)
        other._number_kinds(parts)
        other._number_procedures()
        return other

    def _register(self, parts: Sequence[Component]) -> None:
        self.by_name: dict[str, Component] = {}
        self.fields: dict[str, Field] = {}
        self.owner_of: dict[str, str] = {}
        for part in sorted(parts, key=lambda c: c.name):
            if part.name in self.by_name:
                raise ContractError(f"two components are called {part.name!r}")
            self.by_name[part.name] = part
            for field in part.owns:
                if field.name in self.fields:
                    raise ContractError(f"{field.name} is owned by {self.owner_of[field.name]} and by {part.name}")
                self.fields[field.name] = field
                self.owner_of[field.name] = part.name

    def _check_tables(self, parts: Sequence[Component]) -> None:
        """Raise ContractError naming every table and parameter that a component requires and the city lacks."""
        city = self.city
        lacking = {c.name: [t for t in c.requires if "." not in t and not city.rows(t)] for c in parts}
        for part in parts:
            lacking[part.name] += [path for path in part.parameters if not city.gives(path)]
        told = "; ".join(f"{name} needs {', '.join(missing)}" for name, missing in lacking.items() if missing)
        if told:
            raise ContractError(f"city {city.name} lacks tables or parameters: {told}")

    def _connect(self, parts: Sequence[Component]) -> None:
        self.owned = {c.name: {f.name for f in c.owns} for c in parts}
        self.adds: dict[str, set[str]] = {}
        self.readable: dict[str, set[str]] = {}
        for part in parts:
            wanted = {*part.reads, *part.lags, *getattr(part, "sees", ())}
            for name in sorted(wanted - self.fields.keys()):
                if name not in part.requires:
                    continue
                raise ContractError(f"{part.name} needs {name!r}, which no component of this run owns")
            if isinstance(part, Policy):
                self._refuse_truth(part, wanted & self.fields.keys())
            self.readable[part.name] = {n for n in wanted if n in self.fields} | self.owned[part.name]
            self.adds[part.name] = {n for n in part.adds if n in self.fields}

    def _refuse_truth(self, policy: Policy, names: set[str]) -> None:
        """Raise ContractError when a policy would see what neither a sensor nor a record shows."""
        for name in sorted(names):
            owner = self.by_name[self.owner_of[name]]
            if not (self.fields[name].observable or isinstance(owner, Feed) or owner is policy):
                raise ContractError(
                    f"policy {policy.name!r} would see the truth: {name!r} of {owner.name} is neither observed by a "
                    f"feed nor a record of the command centre"
                )

    def _set_up(self, parts: Sequence[Component], setup: Setup) -> dict[str, int]:
        from dataclasses import replace

        rows: dict[str, int] = {}
        ordered = [*self.components, *self.policies]
        kinds = {kind.name: kind for part in ordered for kind in part.events}
        for part in ordered:
            own = part.setup(replace(setup, options=self.options[part.name], kinds=kinds)) or {}
            for table, count in own.items():
                if rows.setdefault(table, count) != count:
                    raise ContractError(f"{part.name} wants {count} rows in table {table!r}, another {rows[table]}")
        return rows

    def _lay_out(self, parts: Sequence[Component], own: Mapping[str, int]) -> None:
        contributors: dict[str, list[str]] = {}
        for part in parts:
            for name in self.adds[part.name]:
                contributors.setdefault(name, []).append(part.name)
        columns: dict[str, Field] = {f.name: f for f in (*ENGINE, *PENDING, *JOBS, *CLAIMS)}
        for part in sorted(parts, key=lambda c: c.name):
            columns.update(columns_of(part.name, part.owns, contributors))
        self.group_arrays = {
            f.name: [f"{f.name}@{c}" for c in sorted(contributors.get(f.name, []))]
            for f in self.fields.values()
            if f.group
        }
        self.field_number = {name: i for i, name in enumerate(sorted(self.fields))}
        self.solvers = [(i, c, self._inputs(c)) for i, c in enumerate(self.components) if isinstance(c, Model)]
        rows = {
            **ENGINE_ROWS,
            "written": max(len(self.fields), 1),
            "solved": max(len(self.components), 1),
            "lag_asked": max(len(self.components), 1),
            "policy_due": max(len(self.policies), 1),
            "kind_off": max(len(self.events), 1),
            **own,
        }
        for field in columns.values():
            if field.table not in rows:
                rows[field.table] = self._city_rows(field)
        self.layout = Layout(columns, rows)

    def _inputs(self, component: Component) -> Any:
        names = {*component.reads, *(f.name for f in component.owns if f.group)}
        return np.array(sorted(self.field_number[n] for n in names if n in self.fields), dtype=np.intp)

    def _city_rows(self, field: Field) -> int:
        table = field.table
        if table.endswith("_list"):
            return 1
        city_table = plural(table.removeprefix("observed_"))
        if city_table not in SCHEMA and city_table not in self.city.tables:
            owner = self.owner_of.get(field.name, "engine")
            raise ContractError(f"{owner} owns {field.name!r}, but its setup gave no rows for table {table!r}")
        return self.city.rows(city_table)

    def _refuse_unorderable(self, policy: Policy) -> None:
        """Raise ContractError when a policy would order an event that needs more than a target and a value."""
        for name in policy.commands:
            declared = self.event_kinds.get(name)
            needed = [o.name for o in declared.params if o.default is None and o.name != "value"] if declared else []
            if needed:
                raise ContractError(
                    f"policy {policy.name!r} cannot order {name!r}, which needs {', '.join(needed)}: "
                    f"an order has a target and a value only"
                )

    def _number_kinds(self, parts: Sequence[Component]) -> None:
        self.event_kinds: dict[str, EventKind] = {}
        self.logged_kinds = {kind.name: kind for part in parts for kind in part.tells}
        self.handler: dict[str, Component] = {}
        self.listeners: dict[str, list[Component]] = {}
        for part in [*self.components, *self.policies]:
            for kind in part.events:
                if kind.name in self.handler:
                    raise ContractError(
                        f"event {kind.name!r} is handled by {self.handler[kind.name].name} and {part.name}"
                    )
                self.handler[kind.name] = part
                self.event_kinds[kind.name] = kind
            for name in part.listens:
                self.listeners.setdefault(name, []).append(part)
        self.logged_kinds.update(self.event_kinds)
        for policy in self.policies:
            self._refuse_unorderable(policy)
        self.kinds = sorted({*self.handler, *ENGINE_KINDS})
        self.kind_number = {name: i for i, name in enumerate(self.kinds)}
        self.carriers = [c for c in self.components if isinstance(c, Model) and type(c).carry is not Model.carry]
        self.triggers: dict[str, list[int]] = {}
        for i, policy in enumerate(self.policies):
            for name in policy.on:
                self.triggers.setdefault(name, []).append(i)
        self.laggards: dict[str, list[int]] = {}
        for i, component in enumerate(self.components):
            for name in component.lags:
                self.laggards.setdefault(name, []).append(i)

    def _number_procedures(self) -> None:
        self.procedures: list[tuple[Model, tuple[str, ...], str]] = []
        self.procedure_number: dict[str, int] = {}
        self.resource_number: dict[str, int] = {}
        self.capacities: list[Any] = []
        for component in self.components:
            if not isinstance(component, Model):
                continue
            for name, steps in component.procedures.items():
                self.procedure_number[name] = len(self.procedures)
                self.procedures.append((component, steps, name))
            for resource in component.resources:
                self.resource_number[resource.name] = len(self.capacities)
                self.capacities.append(self._capacity(component, resource.table, resource.capacity))

    def target_rows(self, table: str, rows: Mapping[str, int]) -> int:
        """Return how many rows the table of an order's target has, -1 when it names none.

        table  of the city ("signals") or of the state ("call")
        rows   rows of every table of the state
        """
        if table in self.city.tables:
            return self.city.rows(table)
        return rows.get(table, -1)

    def _capacity(self, component: Model, table: str, name: str) -> Any:
        capacity = getattr(component, name, None)
        if capacity is None:
            capacity = self.city[plural(table)][name]
        if len(capacity) and min(capacity) < 1:
            raise ContractError(f"{component.name} has a resource with no server: {name} of {table} must be 1 or more")
        return capacity


def plural(table: str) -> str:
    """Return the city table whose rows a state table shares (`bus` -> `buses`)."""
    return table + ("es" if table.endswith("s") else "s")


def _with_defaults(component: Component, given: Mapping[str, Any], city: City) -> dict[str, Any]:
    own = {o.name: o.given_by(city) for o in component.options}
    known = {o.name: o.default if own[o.name] is None else own[o.name] for o in component.options}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ContractError(f"{component.name} has no option {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return {**known, **given}
