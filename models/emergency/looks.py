"""Turn the log of a run into what pictures of a service show: spans of work, tracks, reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.streets import Streets, build_streets, path_between, shortest_tree

if TYPE_CHECKING:
    import pandas as pd

    from twin.city import City

Array = np.ndarray[Any, Any]

TO_CALL, WITH_PATIENT, AT_HOSPITAL = "to the call", "on scene, to hospital", "at hospital"
STATES = (TO_CALL, WITH_PATIENT, AT_HOSPITAL)
_BEGINS = {"unit_dispatched": TO_CALL, "unit_on_scene": WITH_PATIENT, "unit_at_hospital": AT_HOSPITAL}
_ENDS = ("call_closed", "call_preempted")


def unit_spans(events: pd.DataFrame, until: float | None = None) -> pd.DataFrame:
    """Return what each unit did when, of the events of one run: unit, call, state, begin, end (s).

    until  s at which work in progress is cut off; by default the last event
    """
    import pandas as pd

    wanted = events[events["kind"].isin([*_BEGINS, *_ENDS])].sort_values(["time", "id"])
    last = float(events["time"].max()) / SECOND if until is None else until
    open_spans: dict[int, tuple[int, str, float]] = {}
    rows = []
    for kind, call, unit, time in zip(*(wanted[c].tolist() for c in ("kind", "target", "data", "time")), strict=True):
        at = time / SECOND
        if unit in open_spans and at <= last:
            rows.append((unit, *open_spans.pop(unit), at))
        if kind in _BEGINS and at < last:
            open_spans[unit] = (call, _BEGINS[kind], at)
    rows += [(unit, *span, last) for unit, span in sorted(open_spans.items())]
    found = pd.DataFrame(rows, columns=["unit", "call", "state", "begin", "end"])
    return found[found["end"] > found["begin"]].sort_values(["unit", "begin"], ignore_index=True)


def unit_tracks(city: City, events: pd.DataFrame, calls: pd.DataFrame, unit: int) -> list[Array]:
    """Return the ways one unit of a run drove, each (n, 2) in m, along the shortest streets at free speed.

    calls  the table of calls of the run, in the order of its rows; `node` holds ids

    A unit is taken to start each call at its station or the last hospital, and to return to its station at the end.
    """
    stations = city["stations"]
    homes = np.repeat(stations["node"], np.where(stations["kind"] == "ambulance", stations["units"], 0))
    home = int(homes[unit])
    row_of = {name: row for row, name in enumerate(city["nodes"]["id"].tolist())}
    rung = [row_of.get(name, -1) for name in calls["node"].tolist()]
    places = [home]
    mine = events[(events["data"] == unit) & events["kind"].isin(["unit_on_scene", "unit_at_hospital"])]
    for kind, call, value in zip(*(mine[c].tolist() for c in ("kind", "target", "value")), strict=True):
        places.append(rung[call] if kind == "unit_on_scene" else int(city["hospitals"]["node"][int(value)]))
    streets = build_streets(city)
    ways = [_way(streets, a, b) for a, b in zip(places, [*places[1:], home], strict=True) if a != b]
    return [way for way in ways if way.shape[0]]


def _way(streets: Streets, start: int, goal: int) -> Array:
    path = path_between(streets, streets.free_time, start, goal) if min(start, goal) >= 0 else None
    if path is None:
        return np.empty((0, 2))
    lines = []
    for link in path.tolist():
        first, count = int(streets.point_first[link]), int(streets.point_count[link])
        ends = streets.node_xy[[streets.graph.from_node[link], streets.graph.to_node[link]]]
        lines.append(streets.point_xy[first : first + count] if count >= 2 else ends)
    return np.concatenate(lines)


def reach_times(city: City, nodes: Any, link_time: Any = None) -> Array:
    """Return the seconds from the nearest of some nodes to every node; (n_node,), inf where no way leads.

    link_time  (n_link,)  s; by default free speed
    """
    streets = build_streets(city)
    times = streets.free_time if link_time is None else np.asarray(link_time, dtype=np.float64)
    roots = np.unique(np.asarray(nodes, dtype=np.int64)).tolist()
    return np.asarray(np.min([shortest_tree(streets, times, root).time for root in roots], axis=0))


def weekly_counts(local: Any) -> Array:
    """Return calls by weekday (Monday first) and hour of local datetimes; (7, 24)."""
    moments = np.asarray(local, dtype="datetime64[h]")
    hours = moments.astype(np.int64)
    # 1 January 1970 was a Thursday: three days after a Monday.
    week = (hours + 3 * 24) % (7 * 24)
    return np.asarray(np.bincount(week, minlength=7 * 24).reshape(7, 24))
