"""Read standard operating procedures: roles, stages, timers, acknowledgement and escalation.

A procedure begins with an event and runs through stages. A stage is told to a role,
must be acknowledged within a time or goes to the next higher role, takes work, may
order something, and begins when the stages it comes after are done. This follows the
incident-action cycle of command systems such as ICS (FEMA, National Incident
Management System, 3rd ed., 2017); the stages themselves are the user's data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import DataError
from twin.models.plan_file import NOTHING, Entry, Plan, read_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.city import City
    from twin.contract import EventKind

Array = np.ndarray[Any, Any]

_STAGE_KEYS = ("name", "role", "acknowledge_within", "work", "after", "does", "until")
MESSENGER = 600.0
"""s until a messenger has found somebody whose telecom site is dead (assumption)."""


@dataclass(frozen=True)
class Role:
    """A role of the command centre: how many people hold it, how fast they react, who is above.

    site       telecom site over which its people are reached, "" for those in the room
    messenger  s longer they take to hear of a task while that site is dead
    place      file, line and column
    """

    name: str
    people: int
    reaction: float
    above: int
    site: str = ""
    messenger: float = 0.0
    place: str = ""


@dataclass(frozen=True)
class Act:
    """What a stage orders: an event of another part of the run."""

    kind: str
    target: int
    value: float
    place: str


@dataclass(frozen=True)
class Stage:
    """One stage; times in s, `after` as rows of its procedure, `until` an event it waits for.

    place  file, line and column
    """

    name: str
    role: int
    deadline: float
    work: float
    after: tuple[int, ...]
    does: tuple[Act, ...]
    until: str
    place: str


@dataclass(frozen=True)
class Procedure:
    """A procedure and the kind of event that begins it."""

    name: str
    starts_on: str
    stages: tuple[Stage, ...]
    place: str


@dataclass(frozen=True)
class Manual:
    """All roles and procedures of a command centre."""

    roles: tuple[Role, ...]
    procedures: tuple[Procedure, ...]

    def events(self) -> tuple[str, ...]:
        """Return the kinds of event that begin a procedure or end a wait, sorted."""
        starts = {procedure.starts_on for procedure in self.procedures}
        waits = {stage.until for procedure in self.procedures for stage in procedure.stages if stage.until}
        return tuple(sorted(starts | waits))

    def named(self) -> list[tuple[str, str]]:
        """Return every kind of event the manual names, each with its place."""
        stages = [stage for procedure in self.procedures for stage in procedure.stages]
        found = [(procedure.starts_on, procedure.place) for procedure in self.procedures]
        found += [(stage.until, stage.place) for stage in stages if stage.until]
        return found + [(act.kind, act.place) for stage in stages for act in stage.does]


def read_manual(path: str) -> Manual:
    """Read procedures from YAML; raises DataError naming every problem with its line."""
    plan = read_plan(path)
    parts = plan.keys(plan.root, ("roles", "procedures"), ("roles", "procedures"))
    roles = _read_roles(plan, parts.get("roles", NOTHING))
    names = [role.name for role in roles]
    procedures = tuple(
        _read_procedure(plan, name, entry, names) for name, entry in parts.get("procedures", NOTHING).parts.items()
    )
    plan.finish()
    return Manual(roles, procedures)


def sites_of(manual: Manual, city: City) -> Array:
    """Return the telecom site of each role, -1 for none; raise DataError naming sites the city does not have."""
    ids = np.asarray(city["sites"]["id"]).tolist() if "sites" in city.tables else []
    unknown = [
        f"{role.place} {role.site!r} is not a telecom site of city {city.name}{_close(role.site, ids)}"
        for role in manual.roles
        if role.site and role.site not in ids
    ]
    if unknown:
        raise DataError("\n".join(unknown))
    return np.array([ids.index(role.site) if role.site else -1 for role in manual.roles], dtype=np.int64)


def faults_of(manual: Manual, kinds: Mapping[str, EventKind]) -> list[str]:
    """Return what the manual asks of events that nothing handles, or that are about rows of another table.

    kinds  kinds of event that the components of the run handle
    """
    found = [
        f"{place} nothing in this run handles event {kind!r}{_close(kind, sorted(kinds))}"
        for kind, place in manual.named()
        if kind not in kinds
    ]
    for procedure in manual.procedures:
        for stage in procedure.stages:
            acts = [(act.kind, "does", act.place) for act in stage.does if act.target < 0]
            for kind, what, place in [(stage.until, "until", stage.place), *acts]:
                found += _astray(kind, what, place, procedure.starts_on, kinds)
    return found


def _astray(kind: str, what: str, place: str, start: str, kinds: Mapping[str, EventKind]) -> list[str]:
    """Return the problem of an event that is about another table than the one that began the procedure."""
    if kind not in kinds or start not in kinds:
        return []
    own, table = kinds[kind].target, kinds[start].target
    if not own or not table or own == table or (what == "until" and table in own.split("|")):
        return []
    fitting = sorted(name for name, known in kinds.items() if known.target == table and name != start)
    near = get_close_matches(kind, fitting, 1, 0.0)
    hint = f"; nearest that is: {near[0]!r}" if near else ""
    mend = " or give it a target" if what == "does" else ""
    return [f"{place} {what} {kind!r} is about {own!r}, the procedure about {table!r} of {start!r}{hint}{mend}"]


def _close(name: str, ids: list[str]) -> str:
    near = get_close_matches(name, ids, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _read_roles(plan: Plan, listed: Entry) -> tuple[Role, ...]:
    names = list(listed.parts)
    if not names:
        plan.tell(listed if listed.line else plan.root, "there must be a role")
    above: dict[str, str] = {}
    found = []
    for name, entry in listed.parts.items():
        parts = plan.keys(entry, ("people", "reaction", "above", "site", "messenger"))
        above[name] = plan.one_of(parts.get("above"), names, "role")
        people = plan.count(parts.get("people"), 1, 1, 1000)
        messenger = plan.quantity(parts["messenger"], "s", 0.0) if "messenger" in parts else MESSENGER
        site = parts.get("site", NOTHING).text
        reaction = plan.quantity(parts.get("reaction"), "s", 0.0)
        found.append(Role(name, people, reaction, -1, site, messenger, _place(plan, entry)))
        if _in_circle(name, above):
            plan.tell(entry, f"role {name!r} is above itself")
            above[name] = ""
    return tuple(replace(role, above=names.index(above[role.name]) if above[role.name] else -1) for role in found)


def _in_circle(name: str, above: dict[str, str]) -> bool:
    seen, next_up = {name}, above.get(name, "")
    while next_up:
        if next_up in seen:
            return True
        seen.add(next_up)
        next_up = above.get(next_up, "")
    return False


def _read_procedure(plan: Plan, name: str, entry: Entry, roles: list[str]) -> Procedure:
    parts = plan.keys(entry, ("starts_on", "stages"), ("starts_on", "stages"))
    stages: list[Stage] = []
    for item in parts.get("stages", NOTHING).items:
        stages.append(_read_stage(plan, item, [stage.name for stage in stages], roles))
    if not stages:
        plan.tell(entry, f"procedure {name!r} has no stage")
    return Procedure(name, parts.get("starts_on", NOTHING).text, tuple(stages), _place(plan, entry))


def _read_stage(plan: Plan, entry: Entry, before: list[str], roles: list[str]) -> Stage:
    """Return a stage; without `after` it follows the one above it."""
    parts = plan.keys(entry, _STAGE_KEYS, ("name", "role"))
    name = parts.get("name", NOTHING).text
    if name in before:
        plan.tell(parts["name"], f"two stages are called {name!r}")
    after = tuple(range(len(before)))[-1:]
    if "after" in parts:
        found = [plan.one_of(item, before, "stage further up") for item in parts["after"].items]
        after = tuple(before.index(one) for one in found if one)
    role = plan.one_of(parts.get("role"), roles, "role")
    return Stage(
        name,
        roles.index(role) if role else -1,
        plan.quantity(parts.get("acknowledge_within"), "s", 0.0),
        plan.quantity(parts.get("work"), "s", 0.0),
        after,
        tuple(_read_act(plan, item) for item in _listed(parts.get("does"))),
        parts.get("until", NOTHING).text,
        _place(plan, entry),
    )


def _listed(entry: Entry | None) -> list[Entry]:
    if entry is None:
        return []
    return [entry] if entry.parts else entry.items


def _read_act(plan: Plan, entry: Entry) -> Act:
    parts = plan.keys(entry, ("kind", "target", "value"), ("kind",))
    target = plan.count(parts["target"], -1, 0, 10_000_000) if "target" in parts else -1
    value = plan.count(parts.get("value"), 0)
    return Act(parts.get("kind", NOTHING).text, target, float(value), _place(plan, entry))


def _place(plan: Plan, entry: Entry) -> str:
    return f"{plan.path}:{entry.line}:{entry.column}"
