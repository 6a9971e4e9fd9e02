"""Streets and signals of a city as the traffic kernel wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.traffic import city_turns

if TYPE_CHECKING:
    from twin.city import City
    from twin.kernels.traffic_layout import Classes, Roads, Signals

Array = np.ndarray[Any, Any]

CLASS_PCU = {"car": 1.0, "motorcycle": 0.25, "truck": 2.0, "bus": 2.0}
"""PCU by class where the city gives none: motorcycle 0.25, light vehicle 1.0 (Indonesian Highway Capacity
Manual, MKJI 1997, table for urban divided roads, motorcycle 0.25 to 0.40); truck and bus 2.0 as for large
vehicles (HCM 2010: 1.5 to 2.0 on level ground)."""

MOST_WEIGHT = 16
"""Lanes beyond these count no more at a merge (connectors of zones have dozens)."""

_ROUNDING = 1e-6

SIGNAL_TIMES = {"intergreen": 5.0, "green_least": 7.0, "green_most": 40.0, "unit_extension": 3.0}
"""Times (s) of vehicle-actuated control where the city gives none: within the ranges of the FHWA Traffic
Signal Timing Manual (2008), least greens of 5 to 15 s and passage times of 2 to 4 s; the rest assumed."""


def roads(city: City) -> Roads:
    """Return the city's links as the kernel's columns."""
    from twin.kernels.traffic_layout import Roads

    links = city["links"]
    turns, room = city_turns.pockets(city)
    return Roads(
        n_node=city.rows("nodes"),
        from_node=links["from_node"],
        to_node=links["to_node"],
        length=links["length"],
        speed=links["speed"],
        lanes=links["lanes"],
        jam_density=links["jam_density"],
        capacity=links["capacity"],
        weight=merge_weights(links["lanes"]),
        rank=links.get("rank", 0),
        banned_turns=banned_turns(city),
        pockets=turns,
        pocket_room=room,
        yields=city_turns.yields(city),
    )


def merge_weights(lanes: Any) -> Array:
    """Return the merge weight of links: their lanes, whole, 1 to MOST_WEIGHT."""
    return np.asarray(np.clip(np.rint(np.nan_to_num(lanes)), 1, MOST_WEIGHT))


def banned_turns(city: City) -> Array:
    """Return pairs (link, next link) that nobody may drive; city table banned_turns with both as rows."""
    if "banned_turns" not in city.tables:
        return np.empty((0, 2), np.int64)
    table = city["banned_turns"]
    return np.stack([table["from_link"], table["to_link"]], axis=1).astype(np.int64)


def classes(names: tuple[str, ...], city: City) -> Classes:
    """Return space on the road and headway factor of each class, by its PCU.

    Raises CityError that names the classes of the demand without PCU, and emergency classes that are none.
    """
    from twin.errors import CityError
    from twin.kernels.traffic_layout import Classes

    known = city.settings("demand", {"pcu": CLASS_PCU})["pcu"]
    missing = [name for name in names if name not in known]
    if missing:
        raise CityError(f"demand.pcu of city {city.name} has no PCU for {', '.join(missing)} of demand.classes")
    pcu = tuple(float(known[name]) for name in names)
    return Classes(pcu=pcu, headway_factor=pcu, **city_turns.emergency(names, city))


def signals(city: City, dark_headway: float) -> Signals:
    """Return fixed-time greens of every link, and behind them of every pocket, laid out from the city's phases.

    dark_headway  s between two vehicles at a dark signal, all approaches
    """
    from twin.kernels.traffic_arrays import FIXED
    from twin.kernels.traffic_layout import Signals

    control = np.zeros(city.rows("nodes"), np.int8)
    n_link = city.rows("links")
    columns = {"cycle": np.full(n_link, 60.0), "start": np.zeros(n_link), "length": np.full(n_link, 60.0)}
    columns["phase"] = np.full(n_link, -1)
    greens = _plans(city)
    for signal, plan in enumerate(greens):
        control[city["signals"]["node"][signal]] = FIXED
        for rank, (start, green, served) in enumerate(plan):
            links = served[served[:, 1] < 0, 0]
            columns["cycle"][links] = city["signals"]["cycle"][signal]
            columns["start"][links], columns["length"][links] = start, green
            columns["phase"][links] = rank
    columns = city_turns.with_pockets(city, columns, greens)
    times = {name: float(value) for name, value in city.settings("signals", SIGNAL_TIMES).items()}
    return Signals(
        control=control,
        stop_headway=dark_headway,
        minimum_green=times["green_least"],
        maximum_green=times["green_most"],
        extension=times["unit_extension"],
        intergreen=times["intergreen"],
        **columns,
    )


def _plans(city: City) -> list[list[tuple[float, float, Array]]]:
    """Return start, green (s) and what is served, (n, 2) links and next links or -1, of every phase of every signal.

    Phases follow one another, each by its columns amber and all_red where the city has them; what
    else is left of the cycle is shared. Raises CityError that names the signals whose phases overlap.
    """
    if "signals" not in city.tables or "phases" not in city.tables:
        return []
    refuse_conflicts(city)
    ways = city_turns.served(city)
    table, phases, served = city["signals"], city["phases"], city["phase_links"]
    spent = _with_lost_time(phases)
    plans, full = [], []
    for signal in range(city.rows("signals")):
        rows = np.flatnonzero(phases["signal"] == signal)
        rows = rows[np.argsort(phases["order"][rows], kind="stable")]
        left = float(table["cycle"][signal]) - spent[rows].sum()
        if left < -_ROUNDING:
            full.append(str(table["id"][signal]))
        each = spent[rows] + left / max(len(rows), 1)
        start = float(table["offset"][signal]) + np.concatenate([[0.0], np.cumsum(each)[:-1]])
        links = [ways[served["phase"] == row] for row in rows]
        plans.append(list(zip(start.tolist(), phases["green"][rows].tolist(), links, strict=True)))
    if full:
        from twin.errors import CityError

        raise CityError(f"greens overlap, for green, amber and all-red exceed the cycle: signals {', '.join(full)}")
    return plans


def refuse_conflicts(city: City) -> None:
    """Raise CityError that names the approaches with green in one phase though their movements conflict."""
    from twin.city.junctions import phases_in_conflict
    from twin.errors import CityError

    found = phases_in_conflict(city.tables, city.driving_side == "left")
    if found:
        raise CityError(f"conflicting movements have green at once: {'; '.join(found)}")


def _with_lost_time(phases: Any) -> Array:
    """Return green plus amber and all-red (s) of each phase."""
    lost = [phases[name] for name in ("amber", "all_red") if name in phases]
    return np.asarray(phases["green"] + sum(lost), np.float64)
