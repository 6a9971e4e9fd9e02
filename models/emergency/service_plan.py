"""The plan of an emergency service: units and rosters, call desks, incidents, upgrades, hospitals.

Without a plan file a city has the ambulances of its stations, always on duty, one desk, and
calls that any unit can serve. A plan (YAML) replaces that; see docs/manual/emergency_service.md.
Every problem of a plan is named with its line, all at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.emergency.service_kinds import INCIDENT_KINDS, UNIT_KINDS, bits, words
from twin.models.plan_file import Entry, Plan, read_plan

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

DAY = 86_400.0
NIGHT_AND_DAY = ((0.0, DAY),)
_KEYS = ("units", "rosters", "desks", "incidents", "transfer", "upgrades", "hospitals")
_UNIT_KEYS = ("id", "kind", "station", "count", "roster", "aid")

Windows = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Desk:
    """Call-takers of a desk: (begin, end, people) of each stretch of the day, s; breaks each takes."""

    staff: tuple[tuple[float, float, int], ...]
    break_every: float = 0.0
    break_length: float = 0.0

    @property
    def most(self) -> int:
        """People at the busiest hour."""
        edges = sorted({begin for begin, _, _ in self.staff})
        return max((self.at(edge) for edge in edges), default=0)

    def at(self, second: float) -> int:
        """Return the people on duty at a second of the day."""
        return sum(people for begin, end, people in self.staff if begin <= second < end)


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
    rosters = {name: _roster(plan, entry) for name, entry in parts.get("rosters", _NONE).parts.items()}
    units = _read_units(plan, city, parts.get("units", _NONE), rosters)
    desks = {name: _read_desk(plan, entry) for name, entry in parts.get("desks", _NONE).parts.items()}
    incidents = _read_incidents(plan, parts.get("incidents", _NONE), desks)
    _check_cover(plan, parts.get("units", plan.root), units, incidents)
    transfer = plan.keys(parts["transfer"], ("misrouted", "referred", "time")) if "transfer" in parts else {}
    specialties, queue = _read_hospitals(plan, city, parts.get("hospitals", _NONE), incidents)
    found = ServicePlan(
        units,
        desks,
        incidents,
        _read_upgrades(plan, parts.get("upgrades", _NONE)),
        plan.quantity(transfer.get("misrouted"), "1", 0.0, 1.0),
        plan.quantity(transfer.get("referred"), "1", 0.0, 1.0),
        plan.quantity(transfer.get("time"), "s", 0.0),
        specialties,
        queue,
    )
    plan.finish()
    return found


_NONE = Entry("", 0, 0)


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
    if not station and not plan.problems:
        plan.tell(plan.root, "the plan has no unit")
    return _units(city, station, kind, windows, aid)


def _roster(plan: Plan, entry: Entry) -> Windows:
    found = [window for item in entry.items for window in _window(plan, item, item.text)]
    if not found:
        plan.tell(entry, "a roster is a list of hours such as 07:00-19:00")
    ordered = sorted(found)
    for (_, end), (begin, _) in itertools.pairwise(ordered):
        if begin < end:
            plan.tell(entry, f"two stretches of a roster overlap at {_clock(begin)}")
    return tuple(ordered)


def _window(plan: Plan, entry: Entry, text: str) -> list[tuple[float, float]]:
    """Return the seconds of the day that `07:00-19:00` stands for, in two pieces over midnight."""
    begin, _, end = text.partition("-")
    first, last = _second(begin), _second(end)
    if first is None or last is None or first == last:
        plan.tell(entry, f"{text!r} is not a stretch of the day such as 07:00-19:00")
        return []
    return [(first, last)] if first < last else [(first, DAY)] + [(0.0, last)] * (last > 0)


def _second(text: str) -> float | None:
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and len(minutes) == 2):
        return None
    second = int(hours) * 3600.0 + int(minutes) * 60.0
    return second if second <= DAY and int(minutes) < 60 else None


def _clock(second: float) -> str:
    return f"{int(second // 3600):02d}:{int(second % 3600 // 60):02d}"


def _read_desk(plan: Plan, entry: Entry) -> Desk:
    """Return the staff of a desk, written `07:00-19:00 x4`."""
    parts = plan.keys(entry, ("takers", "break_every", "break"), ("takers",))
    staff = []
    for item in parts.get("takers", _NONE).items:
        hours, _, people = item.text.partition(" x")
        if not people.isdigit():
            plan.tell(item, f"{item.text!r} is not hours and people such as 07:00-19:00 x4")
            continue
        staff += [(begin, end, int(people)) for begin, end in _window(plan, item, hours)]
    desk = Desk(
        tuple(staff),
        plan.quantity(parts.get("break_every"), "s", 0.0),
        plan.quantity(parts.get("break"), "s", 0.0),
    )
    empty = [edge for edge in _edges(staff) if desk.at(edge) < 1]
    if empty:
        plan.tell(entry, f"roster gap: nobody answers from {_clock(empty[0])}")
    if desk.break_every and desk.break_length >= desk.break_every:
        plan.tell(entry, "a break must be shorter than the time between breaks")
    return desk


def _edges(windows: Any) -> list[float]:
    return sorted({0.0, *(w[0] for w in windows), *(w[1] for w in windows if w[1] < DAY)})


def _read_incidents(plan: Plan, listed: Entry, desks: Mapping[str, Desk]) -> dict[str, Incident]:
    """Return the kinds of incidents: those of the table, with what the plan says of them."""
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
    if sum(kind.share for kind in found.values()) <= 0.0:
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
        for edge in _edges(windows):
            if not any(begin <= edge < end for begin, end in windows):
                plan.tell(place, f"roster gap: from {_clock(edge)} no unit on duty for {words(need)}")
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
    ids = np.asarray(city["hospitals"]["id"]).tolist()
    special: list[tuple[str, ...]] = [()] * len(ids)
    queue = [0] * len(ids)
    for name, entry in listed.parts.items():
        parts = plan.keys(entry, ("specialties", "divert_queue"))
        if plan.one_of(Entry(name, entry.line, entry.column), ids, "hospital"):
            row = ids.index(name)
            special[row] = tuple(item.text for item in parts.get("specialties", _NONE).items)
            queue[row] = plan.count(parts.get("divert_queue"), 0, 1)
    for name, kind in incidents.items():
        if kind.specialty and not any(kind.specialty in offered for offered in special):
            plan.tell(listed if listed.line else plan.root, f"no hospital offers {kind.specialty!r}, for {name!r}")
    return tuple(special), tuple(queue)


def microseconds(seconds: float) -> int:
    """Return a duration in whole microseconds."""
    return round(seconds * SECOND)
