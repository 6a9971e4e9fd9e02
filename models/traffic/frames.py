"""Data frames of streets and trips, checked and laid out for the traffic kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.traffic import changes, plans, pockets
from twin.models.traffic.inputs import UNITS, numbers, with_numbers, wrong_columns
from twin.models.traffic.order import keys_of
from twin.models.traffic.streets import CLASS_PCU, merge_weights

if TYPE_CHECKING:
    import pandas as pd

    from twin.kernels.traffic_layout import Classes, Roads, Traffic, Trips
    from twin.models.traffic.alone import Rules
    from twin.models.traffic.changes import Changes
    from twin.models.traffic.guidance import Guide

Array = np.ndarray[Any, Any]

SECOND = 1_000_000
LONGEST = 1e12
"""s; the latest time that a table may name, far from where a count of microseconds ends."""
_MOST_PCU = 1000.0
_MOST_ROOM = 1e7
"""Vehicles on one link: beyond it a length or a number of lanes is a slip, and its ring would take the memory."""
_SHOWN = 5
JAM_DENSITY = 0.2
"""veh/m per lane, where a table of links does not say"""
_OPTIONAL = {"lanes": 1.0, "capacity": np.inf, "jam_density": JAM_DENSITY, "reaction_time": 1.0, "rank": 0}
NEEDED = {
    "links": ("from", "to", "length", "speed"),
    "trips": ("from", "to", "depart"),
    "banned_turns": ("from_link", "to_link"),
    "signals": ("link", "cycle", "start", "green"),
    "pockets": ("from_link", "to_link", "storage"),
    "changes": ("time", "link"),
}
_POSITIVE = ("length", "speed", "lanes", "capacity", "jam_density", "reaction_time")


@dataclass(frozen=True)
class Frames:
    """Hold what `simulate` was given; see there and `Rules` for the columns."""

    links: pd.DataFrame
    trips: pd.DataFrame
    banned_turns: pd.DataFrame
    signals: pd.DataFrame
    pockets: pd.DataFrame
    changes: pd.DataFrame
    pcu: Mapping[str, float]
    positions: pd.DataFrame | None = None
    left: bool = False

    def nodes(self) -> Array:
        """Return the labels of the nodes in the order of the links."""
        import pandas as pd

        ends = [self.links[name] for name in ("from", "to")]
        if ends[0].dtype != ends[1].dtype:
            ends = [end.astype(object) for end in ends]
        return np.asarray(pd.unique(np.append(ends[0], ends[1])))

    def as_numbers(self) -> Frames:
        """Return the tables, once checked, with numbers in place of text."""
        changed: dict[str, Any] = {table: with_numbers(table, getattr(self, table)) for table in NEEDED}
        return replace(self, **changed)

    def check(self) -> None:
        """Raise a ValueError that names every missing column and wrong row."""
        problems = [] if self.links.index.is_unique else ["links: the index must be unique"]
        if not self.trips.index.is_unique:
            problems.append(
                "trips: the index must be unique; to put tables together: pd.concat(..., ignore_index=True)"
            )
        for table, columns in NEEDED.items():
            problems += wrong_columns(table, getattr(self, table), columns)
        if not problems and not len(self.links) and len(self.trips):
            problems = ["links: the table is empty"]
        if not problems:
            problems = self._wrong_links() + self._wrong_trips() + self._wrong_turns() + plans.wrong(self)
            problems += changes.wrong(self) if len(self.changes) else []
            problems += pockets.wrong(self) if len(self.pockets) else []
        if problems:
            raise ValueError("; ".join(problems))

    def _wrong_links(self) -> list[str]:
        problems = []
        for name in _POSITIVE:
            if name in self.links:
                value = numbers(self.links, name)
                wrong = ~(value > 0) | (np.isinf(value) & (name != "capacity"))
                what = "must be greater than 0" if name == "capacity" else "must be greater than 0 and finite"
                problems += wrong_numbers("links", self.links, name, wrong, what)
        for name, low, high in (("weight", 1, 16), ("rank", 0, 15)):
            if name in self.links:
                value = numbers(self.links, name)
                wrong = ~((value >= low) & (value <= high) & (value == np.rint(value)))
                problems += wrong_rows("links", self.links, name, wrong, f"must be a whole number from {low} to {high}")
        if not problems:
            full = numbers(self.links, "length") > _MOST_ROOM * self._least_pcu() / self._room_per_metre()
            what = f"with its lanes and jam_density gives room for more than {_MOST_ROOM:.0e} vehicles"
            problems += wrong_rows("links", self.links, "length", full, what)
        for end in ("from", "to"):
            problems += wrong_rows("links", self.links, end, self.links[end].isna().to_numpy(), "must name a node")
        return problems

    def _wrong_trips(self) -> list[str]:
        problems = []
        for end in ("from", "to"):
            problems += wrong_labels("trips", self.trips, end, self.nodes(), "is no node of the links")
        problems += wrong_times("trips", self.trips, "depart")
        if "class" in self.trips:
            what = f"must be one of {', '.join(map(str, self.pcu))}"
            if self.pcu != CLASS_PCU:
                built = ", ".join(f"{name} {value:g}" for name, value in CLASS_PCU.items())
                what += f": the pcu given stand in place of {built}"
            problems += wrong_labels("trips", self.trips, "class", list(self.pcu), what)
        elif "car" not in self.pcu:
            problems.append("trips: column class is missing, and pcu has no car")
        return problems

    def _wrong_turns(self) -> list[str]:
        problems = wrong_turns(self.links, "banned_turns", self.banned_turns)
        problems += [
            f"pcu: {name} is {value}, must be greater than 0" for name, value in self.pcu.items() if not value > 0
        ]
        problems += [
            f"pcu: {name} is {value}, must be at most {_MOST_PCU:g}"
            for name, value in self.pcu.items()
            if value > _MOST_PCU
        ]
        return problems

    def _least_pcu(self) -> float:
        """Return the PCU of the smallest class that drives, at most that of a car."""
        driven = rows_of(list(self.pcu), self.trips["class"].unique() if "class" in self.trips else ["car"]) >= 0
        return min([1.0, *(pcu for pcu, there in zip(self.pcu.values(), driven, strict=True) if there and pcu > 0)])

    def _room_per_metre(self) -> Array:
        """Return the cars (n_link,) that a metre of each link holds."""
        return np.asarray(self.column("lanes") * self.column("jam_density"))

    def column(self, name: str) -> Array:
        """Return an optional column of the links (n_link,), what it is by default where the table has none."""
        return numbers(self.links, name) if name in self.links else np.full(len(self.links), _OPTIONAL[name])


def rows_of(labels: Any, index: Any) -> Array:
    """Return the row of each label in an index or list, -1 where it is unknown."""
    import pandas as pd

    known, wanted = pd.Index(index), pd.Index(labels)
    if {known.dtype.kind, wanted.dtype.kind} in ({"i", "f"}, {"u", "f"}):
        # As numbers of one kind, whole ones beyond 2**53 would be taken for their neighbours.
        known, wanted = known.astype(object), wanted.astype(object)
    return np.asarray(known.get_indexer(wanted), np.int64)


def wrong_times(table: str, frame: pd.DataFrame, name: str) -> list[str]:
    """Name the rows of a column that are no time from 0 to LONGEST."""
    time = numbers(frame, name)
    problems = wrong_rows(table, frame, name, time < 0, "must not be negative")
    what = f"must be seconds, at most {LONGEST:g}"
    if np.isnan(time).any():
        what += f"; of times: ({name} - start).dt.total_seconds()"
    return problems + wrong_rows(table, frame, name, ~(time <= LONGEST), what)


def wrong_rows(table: str, frame: pd.DataFrame, name: str, wrong: Array, what: str) -> list[str]:
    """Say what is wrong with a column, by the labels of the first rows marked."""
    rows = np.flatnonzero(wrong)
    shown = [f"{table} row {frame.index[row]}: {name} is {frame[name].iloc[row]}, {what}" for row in rows[:_SHOWN]]
    more = rows.size - _SHOWN
    return [*shown, f"{table}: {name} is wrong in {more} more rows"] if more > 0 else shown


def wrong_numbers(table: str, frame: pd.DataFrame, name: str, wrong: Array, what: str) -> list[str]:
    """Say what is wrong with a column of numbers; rows that hold none are told so, with the unit."""
    none = np.isnan(numbers(frame, name))
    unit = f", in {UNITS[name]}" if name in UNITS else ""
    problems = wrong_rows(table, frame, name, none, f"must be a number{unit}")
    return problems + wrong_rows(table, frame, name, wrong & ~none, what)


def wrong_labels(table: str, frame: pd.DataFrame, name: str, known: Any, what: str) -> list[str]:
    """Say which labels of a column are not known, and whether they are but for their type."""
    unknown = rows_of(frame[name], known) < 0
    if unknown.any():
        types = {str(label): type(label).__name__ for label in known}
        first = frame[name][unknown].iloc[0]
        if str(first) in types:
            what += f" (there it is {types[str(first)]}, here {type(first).__name__})"
    return wrong_rows(table, frame, name, unknown, what)


def wrong_turns(links: pd.DataFrame, table: str, frame: pd.DataFrame) -> list[str]:
    """Name the rows whose from_link and to_link are no links, or do not meet."""
    problems, ends = [], []
    for name in ("from_link", "to_link"):
        ends.append(rows_of(frame[name], links.index))
        problems += wrong_labels(table, frame, name, links.index, "is no link")
    if problems:
        return problems
    apart = links["to"].to_numpy()[ends[0]] != links["from"].to_numpy()[ends[1]]
    return wrong_rows(table, frame, "to_link", apart, "does not begin where from_link ends")


def lay_out(frames: Frames, rules: Rules) -> tuple[Traffic, Guide | None, Changes]:
    """Build the kernel's arrays, everybody's way by free-flow times, what informs the informed, and the changes."""
    from twin.kernels.traffic import touch
    from twin.kernels.traffic_layout import build, hop_columns
    from twin.models.traffic.guidance import new_guide
    from twin.models.traffic.turns import Ways, next_hops

    roads = _roads(frames, rules)
    goal = rows_of(frames.trips["to"], frames.nodes())
    destinations, destination = np.unique(goal, return_inverse=True)
    banned = np.asarray(roads.banned_turns)
    column = hop_columns(roads.n_node, np.asarray(roads.to_node), banned)
    ways = Ways(roads.n_node, np.asarray(roads.from_node), np.asarray(roads.to_node), column, banned)
    free = np.asarray(roads.length) / np.asarray(roads.speed)
    table = next_hops(ways, free, destinations)
    trips = _trips(frames, destination, table, rules)
    traffic = build(roads, trips, destinations, _classes(rules), plans.signals(frames, roads))
    traffic.settings.informed[...] = table
    traffic.settings.habitual[...] = table
    touch(*traffic)
    present = {name: np.asarray(getattr(roads, name)) for name in _POSITIVE}
    later = changes.lay_out_changes(frames, present, ways, destinations)
    if not rules.informed_share:
        return traffic, None, later
    owner = np.append(np.arange(len(free)), pockets.movements(frames)[:, 0])
    return traffic, new_guide(ways, free, owner, destinations, _guided(frames, rules)), later


def _guided(frames: Frames, rules: Rules) -> Array:
    """Mark the nodes (n_node,) at which informed drivers hear of present times."""
    if rules.guided_nodes is None:
        return np.ones(len(frames.nodes()), bool)
    rows = rows_of(list(rules.guided_nodes), frames.nodes())
    unknown = [str(node) for node, row in zip(rules.guided_nodes, rows, strict=True) if row < 0]
    if unknown:
        raise ValueError(f"guided_nodes: {', '.join(unknown)} is no node of the links")
    return np.isin(np.arange(len(frames.nodes())), rows)


def _classes(rules: Rules) -> Classes:
    from twin.kernels.traffic_layout import Classes

    space, urgent = tuple(rules.pcu.values()), [name in rules.emergency for name in rules.pcu]
    ahead, clear, most = rules.green_ahead, rules.green_clear, rules.green_most
    return Classes(space, space, urgent, rules.passing, ahead, clear, most)


def _roads(frames: Frames, rules: Rules) -> Roads:
    from twin.kernels.traffic_layout import Roads

    links, nodes = frames.links, frames.nodes()
    turns = [rows_of(frames.banned_turns[end], links.index) for end in ("from_link", "to_link")]
    numbers: dict[str, Any] = {
        name: links[name].to_numpy() if name in links else value for name, value in _OPTIONAL.items()
    }
    return Roads(
        len(nodes),
        rows_of(links["from"], nodes),
        rows_of(links["to"], nodes),
        links["length"].to_numpy(float),
        links["speed"].to_numpy(float),
        **numbers,
        weight=links["weight"].to_numpy() if "weight" in links else merge_weights(numbers["lanes"]),
        banned_turns=np.stack(turns, axis=1),
        pockets=pockets.movements(frames),
        pocket_room=frames.pockets["storage"].to_numpy(float),
        yields=plans.permitted(frames) if rules.gap else [],
        gap=rules.gap or 0.0,
        late_turn=rules.late_turn,
    )


def departures(frames: Frames) -> Array:
    """Return when trips depart (n_trip,), us."""
    return np.asarray(np.rint(frames.trips["depart"].to_numpy(float) * SECOND).astype(np.int64))


def _trips(frames: Frames, destination: Array, table: Array, rules: Rules) -> Trips:
    from twin.kernels.traffic_layout import Trips
    from twin.random import uniform

    origin = rows_of(frames.trips["from"], frames.nodes())
    depart = departures(frames)
    named = "class" in frames.trips
    kind = rows_of(frames.trips["class"], list(frames.pcu)) if named else list(frames.pcu).index("car")
    informed = uniform(rules.seed, "trip.informed", keys_of(frames.trips.index)) < rules.informed_share
    return Trips(depart, origin, destination, table[destination, origin], kind, informed)
