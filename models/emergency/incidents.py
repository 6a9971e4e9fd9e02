"""Requests: what each call asks of the service, when one place needs several units.

An incident is a call and the further requests it gives rise to, each a row of the
call table that takes exactly one unit. Companions (the engines, the police of a
fire) open when the first call has been triaged. Casualties of a mass-casualty incident
open one by one when the first unit on scene sorts them. Bystanders' calls about a
known incident are talked to and handed on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, EventKind, Option
from twin.errors import DataError
from twin.models.emergency.calls import CallList, describe, draw_calls, joined
from twin.models.emergency.replay import Replay, read_replay
from twin.models.plan_file import locate
from twin.random import uniform

if TYPE_CHECKING:
    from twin.contract import Setup
    from twin.models.emergency.service_plan import Incident, ServicePlan

Array = np.ndarray[Any, Any]

RINGS, COMPANION, CASUALTY = range(3)
FIRE = "fire"
"""Kind of incident, and of the scenario's event (of the model of fires) that brings one."""
_EVENT_NUMBERS = 1_000_000_000
_CASUALTY_NUMBERS = 500_000_000
_COMPANION_NUMBERS = 10_000_000_000_000
_CARRY = 4
_SECOND_TALK = 0.5
"""Talk at the second desk as a share of that at the first (assumption)."""

MASS_CASUALTY = EventKind(
    "mass_casualty",
    "an incident with many injured at one place",
    target="nodes",
    params=(
        Option("casualties", "injured people", "integer", low=1, high=10_000),
        Option("red", "share of them in danger of life", default=0.2, low=0, high=1),
        Option("yellow", "share of them urgent", default=0.3, low=0, high=1),
        Option("callers", "bystanders who call as well", "integer", 0, low=0, high=100_000),
        Option("calling", "time over which they call", "quantity", 600.0, "s", low=0),
        Option("sorting", "time to sort one patient (START: 30 s)", "quantity", 30.0, "s", low=0),
        Option("incident", "kind of incident of the service plan", "text", "mass_casualty"),
    ),
    scenario=True,
)
"""Sorting time and the colours red, yellow, green: START triage, Benson, Koenig, Schultz,
Prehospital and Disaster Medicine 11 (1996) 117-124."""


@dataclass(frozen=True)
class Requests:
    """Calls of a run and what each needs; rows beyond the calls are requests nobody rings for.

    calls     what is drawn for every row
    lead      (n_call,)  row of the incident's first call
    role      (n_call,)  0 somebody rings, 1 companion, 2 casualty
    need      (n_call,)  capabilities the unit must have, 0 for any unit
    kind      (n_call,)  row in `kinds`, -1 without a plan
    desk      (n_call,)  desk the call is put through to, -1 for none
    wrong     (n_call,)  desk it reaches by mistake before, -1 for none
    referred  (n_call,)  no emergency of its own: handed on after the talk
    second    (n_call,)  us of talk at a further desk
    delay     (n_call,)  us from the first unit on scene until a casualty is found
    kinds     names
    left_out  line and reason of each row of a table of calls that could not be used
    """

    calls: CallList
    lead: Array
    role: Array
    need: Array
    kind: Array
    desk: Array
    wrong: Array
    referred: Array
    second: Array
    delay: Array
    kinds: tuple[str, ...] = ()
    left_out: tuple[tuple[int, str], ...] = ()


def draw_requests(setup: Setup, plan: ServicePlan) -> Requests:
    """Draw every call and request of a run."""
    replay = _replay(setup, tuple(plan.incidents))
    calls = draw_calls(setup, replay)
    ordinary = calls.number.shape[0]
    parts, role, lead = [calls], [np.zeros(ordinary, dtype=np.int64)], [np.arange(ordinary)]
    delay = [np.zeros(ordinary, dtype=np.int64)]
    marked: dict[int, str] = {}
    known: list[Array] = [np.zeros(ordinary, dtype=bool)]
    first = ordinary
    for index, event in enumerate(setup.events):
        fire = event.kind == FIRE and fights_fires(plan)
        if event.kind != MASS_CASUALTY.name and not fire:
            continue
        crowd = _Crowd(setup, index, event)
        parts += [crowd.calls]
        role += [crowd.role]
        lead += [np.full(crowd.rows, first)]
        delay += [crowd.delay]
        known += [crowd.known]
        marked[first] = FIRE if fire else str(event.params.get("incident", "mass_casualty"))
        first += crowd.rows
    whole = joined(parts)
    made = Requests(
        whole,
        np.concatenate(lead),
        np.concatenate(role),
        need=np.zeros(first, dtype=np.int64),
        kind=np.full(first, -1),
        desk=np.full(first, -1),
        wrong=np.full(first, -1),
        referred=np.concatenate(known),
        second=np.maximum(np.rint(whole.talk * _SECOND_TALK), 1).astype(np.int64),
        delay=np.concatenate(delay),
        left_out=() if replay is None else replay.left_out,
    )
    if replay is not None:
        made.kind[: replay.kind.shape[0]] = replay.kind
    return _planned(setup, plan, made, marked) if plan.incidents else made


def fights_fires(plan: ServicePlan) -> bool:
    """Tell whether a plan has units for all that a fire needs; else the model of fires has engines of its own."""
    if FIRE not in plan.incidents:
        return False
    return all(bool((plan.units.can & need == need).any()) for need in plan.incidents[FIRE].needs)


def _replay(setup: Setup, kinds: tuple[str, ...]) -> Replay | None:
    """Return the calls of the table that the scenario names, None for none."""
    path = locate(str(setup.options["calls"]), setup.folder)
    return read_replay(path, setup, kinds, leave_out=setup.options["bad_calls"] == "leave_out") if path else None


class _Crowd:
    """The alarm, the bystanders' calls and the casualties of one mass-casualty event.

    The alarm rings until it is answered: of many callers one stays on the line (assumption).
    """

    def __init__(self, setup: Setup, index: int, event: Any) -> None:
        given = event.params
        injured, callers = int(given.get("casualties", 0)), int(given.get("callers", 0))
        base = _EVENT_NUMBERS * (index + 1)
        number = np.concatenate([base + np.arange(1 + callers), base + _CASUALTY_NUMBERS + np.arange(injured)])
        self.rows = number.shape[0]
        self.role = np.where(np.arange(self.rows) > callers, CASUALTY, RINGS)
        rings = uniform(setup.seed, "crowd.rings", number) * float(given.get("calling", 600.0)) * SECOND
        rings[0], rings[1 + callers :] = 0.0, 0.0
        self.known = (np.arange(self.rows) > 0) & (self.role == RINGS)
        time = event.time + np.rint(rings).astype(np.int64)
        node = _middle(setup, event.targets)
        zone = np.full(self.rows, _zone_at(setup, node))
        chance = uniform(setup.seed, "crowd.colour", number)
        red, yellow = float(given.get("red", 0.2)), float(given.get("yellow", 0.3))
        level = np.where(chance < red, 1, np.where(chance < red + yellow, 2, 3))
        level[: 1 + callers] = 1
        made = describe(setup, number, time, zone, index, level)
        patience = made.patience.copy()
        patience[0] = max(int(patience[0]), setup.duration)
        self.calls = replace(made, node=np.full(self.rows, node), triaged=level, patience=patience)
        order = np.argsort(np.argsort(uniform(setup.seed, "crowd.order", number[1 + callers :])))
        self.delay = np.zeros(self.rows, dtype=np.int64)
        self.delay[1 + callers :] = (order + 1) * round(float(given.get("sorting", 30.0)) * SECOND)


def _middle(setup: Setup, targets: Any) -> int:
    """Return the node nearest to the middle of those an event names."""
    nodes = setup.city["nodes"]
    rows = np.asarray(targets, dtype=np.int64)
    x, y = nodes["x"][rows], nodes["y"][rows]
    return int(rows[np.argmin(np.hypot(x - x.mean(), y - y.mean()))])


def _zone_at(setup: Setup, node: int) -> int:
    nodes, zones = setup.city["nodes"], setup.city["zones"]
    return int(np.argmin(np.hypot(zones["x"] - nodes["x"][node], zones["y"] - nodes["y"][node])))


def _planned(setup: Setup, plan: ServicePlan, made: Requests, marked: dict[int, str]) -> Requests:
    """Give every request its kind, what it needs and its desk, and add companions."""
    kinds = tuple(plan.incidents)
    share = np.cumsum([plan.incidents[name].share for name in kinds])
    chance = uniform(setup.seed, "call.kind", made.calls.number)
    kind = np.minimum(np.searchsorted(share / share[-1], chance, side="right"), len(kinds) - 1)
    kind = np.where(made.kind >= 0, made.kind, kind)
    for row, name in marked.items():
        if name not in kinds:
            raise DataError(f"event mass_casualty names incident {name!r}; the service plan has {', '.join(kinds)}")
        kind[row] = kinds.index(name)
    kind = np.where(made.role == CASUALTY, kinds.index("medical"), kind)
    needs = [plan.incidents[name].needs for name in kinds]
    need = np.array([needs[k][0] for k in kind.tolist()], dtype=np.int64)
    alarm = (made.role == RINGS) & ~made.referred
    extra = np.where(alarm, np.array([len(n) - 1 for n in needs])[kind], 0)
    rows = np.concatenate([np.arange(kind.shape[0]), np.repeat(np.arange(kind.shape[0]), extra)])
    nth = np.concatenate([np.arange(c) + 1 for c in extra.tolist()] or [np.empty(0, np.int64)]).astype(np.int64)
    calls = joined([made.calls, _companions(setup, made.calls.taken(rows[kind.shape[0] :]), nth)])
    more = np.array([needs[kind[r]][n] for r, n in zip(rows[kind.shape[0] :].tolist(), nth.tolist(), strict=True)])
    need = np.concatenate([need, more.astype(np.int64)])
    calls = replace(calls, transport=calls.transport & (need & _CARRY > 0))
    desk, wrong, referred = _routes(setup, plan, replace(made, kind=kind), rows)
    return replace(
        made,
        calls=calls,
        desk=desk,
        wrong=wrong,
        referred=referred,
        lead=made.lead[rows],
        role=np.concatenate([made.role, np.full(more.shape[0], COMPANION)]),
        need=need,
        kind=kind[rows],
        second=made.second[rows],
        delay=made.delay[rows],
        kinds=kinds,
    )


def _companions(setup: Setup, leads: CallList, nth: Array) -> CallList:
    """Return further requests at the places of first calls, with times of their own."""
    number = leads.number + _COMPANION_NUMBERS * nth
    made = describe(setup, number, leads.time, leads.zone, -1, leads.priority)
    same = {"node": leads.node, "triaged": leads.triaged, "surge": leads.surge}
    return replace(made, **same)


def _routes(setup: Setup, plan: ServicePlan, made: Requests, rows: Array) -> tuple[Array, Array, Array]:
    """Return which desks each call passes, and which calls are handed on to others."""
    desks = list(plan.desks)
    number, kinds = made.calls.number, list(plan.incidents.values())
    own = np.array([_desk_row(desks, kind) for kind in kinds])[made.kind]
    others = len(desks) - 2
    chance = uniform(setup.seed, "call.route", number)
    wrong = 1 + np.floor(uniform(setup.seed, "call.wrong", number) * max(others, 1)).astype(np.int64)
    wrong += wrong >= own
    mistaken = (own > 0) & (chance < plan.misrouted) & (others > 0)
    away = uniform(setup.seed, "call.referred", number) < plan.referred
    ordinary = (made.role == RINGS) & (made.calls.surge < 0)
    own_desk, wrong_desk = np.where(own > 0, own, -1), np.where(mistaken, wrong, -1)
    return own_desk[rows], wrong_desk[rows], (made.referred | (away & ordinary))[rows]


def _desk_row(desks: list[str], kind: Incident) -> int:
    """Return the row of an incident's own desk; the first desk of a plan answers every call."""
    return desks.index(kind.desk) if kind.desk else 0
