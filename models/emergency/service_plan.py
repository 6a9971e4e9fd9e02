"""The plan of an emergency service: units and rosters, call desks, incidents, upgrades, hospitals.

Without a plan file a city has the ambulances of its stations, always on duty, one desk, and
calls that any unit can serve. A plan (YAML) replaces that; see docs/manual/emergency_service.md.
Every problem of a plan is named with its line, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.emergency.rosters import NIGHT_AND_DAY, Desk, Windows, clock, edges_of, read_desk, read_roster
from twin.models.emergency.service_kinds import INCIDENT_KINDS, UNIT_KINDS, bits, words
from twin.models.plan_file import NOTHING, Entry, Plan, read_plan

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_KEYS = ("units", "rosters", "desks", "incidents", "transfer", "upgrades", "hospitals")
_UNIT_KEYS = ("id", "kind", "station", "count", "roster", "aid")


@dataclass(frozen=True)
class Incident:
    """A kind of incident: share of calls, what its requests need (one unit each), desk, specialty."""

    share: float
    needs: tuple[int, ...]
    desk: str = ""
    specialty: str = ""


@dataclass(frozen=True)
class Units:
    """Units of a service, one row each.

    station   (n_unit,)  row in `stations`
    node      (n_unit,)  its node
    can       (n_unit,)  set of capabilities
    turnout   (n_unit,)  factor on the mobilisation time
    aid       (n_unit,)  s until a unit of a neighbour is there when asked for, -1 for own units
    kind, windows        name and hours on duty (s of the local day) of each
    """

    station: Array
    node: Array
    can: Array
    turnout: Array
    aid: Array
    kind: tuple[str, ...]
    windows: tuple[Windows, ...]


@dataclass(frozen=True)
class ServicePlan:
    """Everything a plan says; see Units, Desk and Incident.

    upgrades     (3, 3)  a unit on its way to a call of priority row + 1 may be taken for column + 1
    misrouted    share of calls that reach a wrong desk first
    referred     share of calls that are no emergency and are handed on to others
    transfer     s it takes to put a caller through
    specialties  of each hospital
    divert_queue of each hospital: ambulances at the door from which it turns others away, 0 never
    """

    units: Units
    desks: Mapping[str, Desk] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    upgrades: Array = field(default_factory=lambda: np.zeros((3, 3), dtype=bool))
    misrouted: float = 0.0
    referred: float = 0.0
    transfer: float = 0.0
    specialties: tuple[tuple[str, ...], ...] = ()
    divert_queue: tuple[int, ...] = ()


def plain_units(city: City) -> Units:
    """Return the ambulances of a city's stations, always on duty."""
    stations = city["stations"]
    ambulance = np.asarray(stations["kind"]) == "ambulance"
    station = np.repeat(np.arange(ambulance.shape[0]), np.where(ambulance, stations["units"], 0))
    return _units(city, station.tolist(), ["ambulance"] * station.shape[0], [NIGHT_AND_DAY] * station.shape[0])


def plan_of(city: City, path: str) -> ServicePlan:
    """Return the plan of a service; "" for the ambulances of the city alone.

    Raises DataError naming every problem with file, line and column.
    """
    if not path:
        rows = city.rows("hospitals")
        return ServicePlan(plain_units(city), specialties=((),) * rows, divert_queue=(0,) * rows)
    plan = read_plan(path)
    parts = plan.keys(plan.root, _KEYS, ("units",))
    desks = {name: read_desk(plan, entry) for name, entry in parts.get("desks", NOTHING).parts.items()}
    before = len(plan.problems)
    rosters = {name: read_roster(plan, entry) for name, entry in parts.get("rosters", NOTHING).parts.items()}
    units = _read_units(plan, city, parts.get("units", NOTHING), rosters)
    incidents = _read_incidents(plan, parts.get("incidents", NOTHING), desks)
    if "units" in parts and len(plan.problems) == before:
        _check_cover(plan, parts["units"], units, incidents)
    transfer = plan.keys(parts["transfer"], ("misrouted", "referred", "time")) if "transfer" in parts else {}
    specialties, queue = _read_hospitals(plan, city, parts.get("hospitals", NOTHING), incidents)
    found = ServicePlan(
        units,
        desks,
        incidents,
        _read_upgrades(plan, parts.get("upgrades", NOTHING)),
        plan.quantity(transfer.get("misrouted"), "1", 0.0, 1.0),
        plan.quantity(transfer.get("referred"), "1", 0.0, 1.0),
        plan.quantity(transfer.get("time"), "s", 0.0),
        specialties,
        queue,
    )
    plan.finish()
    return found


def _units(city: City, station: list[int], kind: list[str], windows: list[Windows], aid: Any = None) -> Units:
    rows = np.array(station, dtype=np.int64)
    return Units(
        rows,
        np.asarray(city["stations"]["node"], dtype=np.int64)[rows],
        np.array([bits("+".join(UNIT_KINDS[name].can)) for name in kind], dtype=np.int64),
        np.array([UNIT_KINDS[name].turnout for name in kind], dtype=np.float64),
        np.full(rows.shape[0], -1.0) if aid is None else np.array(aid, dtype=np.float64),
        tuple(kind),
        tuple(windows),
    )


def _read_units(plan: Plan, city: City, listed: Entry, rosters: Mapping[str, Windows]) -> Units:
    """Return the units of a plan; one without a known station, kind or roster is a problem."""
    ids = np.asarray(city["stations"]["id"]).tolist()
    before = len(plan.problems)
    station, kind, windows, aid = [], [], [], []
    for entry in listed.items:
        parts = plan.keys(entry, _UNIT_KEYS, ("kind", "station"))
        place = plan.one_of(parts.get("station"), ids, "station")
        name = plan.one_of(parts.get("kind"), UNIT_KINDS, "kind of unit")
        roster = plan.one_of(parts.get("roster"), rosters, "roster") if "roster" in parts else ""
        later = plan.quantity(parts["aid"], "s", 0.0) if "aid" in parts else -1.0
        count = plan.count(parts.get("count"), 1, 1, 1000)
        if place and name:
            station += [ids.index(place)] * count
            kind += [name] * count
            windows += [rosters.get(roster, NIGHT_AND_DAY)] * count
            aid += [later] * count
    if not station and listed.line and len(plan.problems) == before:
        plan.tell(listed, "the plan has no unit")
    return _units(city, station, kind, windows, aid)


def _read_incidents(plan: Plan, listed: Entry, desks: Mapping[str, Desk]) -> dict[str, Incident]:
    """Return the kinds of incidents: those of the table, with what the plan says of them."""
    before = len(plan.problems)
    found = {
        name: Incident(share, tuple(bits(need) for need in needs)) for name, (share, needs) in INCIDENT_KINDS.items()
    }
    for name, entry in listed.parts.items():
        parts = plan.keys(entry, ("share", "needs", "desk", "specialty"))
        base = found.get(name, Incident(0.0, ()))
        needs = tuple(_need(plan, item) for item in parts["needs"].items) if "needs" in parts else base.needs
        if not needs:
            plan.tell(entry, f"incident {name!r} needs no unit; give needs")
        desk = plan.one_of(parts.get("desk"), desks, "desk") if "desk" in parts else base.desk
        specialty = parts["specialty"].text if "specialty" in parts else base.specialty
        found[name] = Incident(plan.quantity(parts.get("share"), "1", base.share, 1e9), needs, desk, specialty)
    if sum(kind.share for kind in found.values()) <= 0.0 and len(plan.problems) == before:
        plan.tell(listed, "the shares of all incidents are 0")
    return found


def _need(plan: Plan, entry: Entry) -> int:
    need = bits(entry.text)
    if need < 0:
        plan.tell(entry, f"{entry.text!r} is not a set of capabilities such as treat+carry")
    return max(need, 0)


def _check_cover(plan: Plan, place: Entry, units: Units, incidents: Mapping[str, Incident]) -> None:
    """Name what incidents need and no unit can do, or none is on duty for at some hour."""
    needs = {need: name for name, kind in incidents.items() if kind.share > 0 for need in kind.needs}
    for need, name in needs.items():
        able = [i for i, can in enumerate(units.can.tolist()) if can & need == need and units.aid[i] < 0]
        if not able:
            plan.tell(place, f"incident {name!r} needs {words(need)}, and no unit can do that")
            continue
        windows = [window for i in able for window in units.windows[i]]
        for edge in edges_of(windows):
            if not any(begin <= edge < end for begin, end in windows):
                plan.tell(place, f"roster gap: from {clock(edge)} no unit on duty for {words(need)}")
                break


def _read_upgrades(plan: Plan, listed: Entry) -> Array:
    """Return which priorities may take a unit from which; only from a less urgent call."""
    table = np.zeros((3, 3), dtype=bool)
    for entry in listed.items:
        pair = [plan.count(item, 0, 1, 3) for item in entry.items]
        if len(pair) != 2 or 0 in pair or pair[0] <= pair[1]:
            plan.tell(entry, "an upgrade is [from, to]: two priorities of 1 to 3, the second more urgent")
        else:
            table[pair[0] - 1, pair[1] - 1] = True
    return table


def _read_hospitals(
    plan: Plan, city: City, listed: Entry, incidents: Mapping[str, Incident]
) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...]]:
    """Return specialties and diversion limits by hospital; a specialty nobody has is a problem."""
    before = len(plan.problems)
    ids = np.asarray(city["hospitals"]["id"]).tolist()
    special: list[tuple[str, ...]] = [()] * len(ids)
    queue = [0] * len(ids)
    for name, entry in listed.parts.items():
        parts = plan.keys(entry, ("specialties", "divert_queue"))
        if plan.one_of(Entry(name, entry.line, entry.column), ids, "hospital"):
            row = ids.index(name)
            special[row] = tuple(item.text for item in parts.get("specialties", NOTHING).items)
            queue[row] = plan.count(parts.get("divert_queue"), 0, 1)
    for name, kind in incidents.items() if len(plan.problems) == before else ():
        if kind.specialty and not any(kind.specialty in offered for offered in special):
            plan.tell(listed if listed.line else plan.root, f"no hospital offers {kind.specialty!r}, for {name!r}")
    return tuple(special), tuple(queue)
