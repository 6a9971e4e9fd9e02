"""Turns of a city: pockets, movements with a green of their own, turns that give way, emergency classes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.kernels.traffic_arrays import Settings

Array = np.ndarray[Any, Any]

LATE_TURN = 3.0
"""s; where a city gives none: assumed, about what clears at the start of the intergreen."""
RESCUE = {"passing": 1.5, "green_ahead": 15.0, "green_clear": 4.0, "green_most": 120.0}
"""How emergency vehicles drive where the city gives nothing else, all assumed; see `Rules`."""


class DefaultedWarning(UserWarning):
    """A city leaves out values that its traffic needs; the twin takes its own."""


def pockets(city: City) -> tuple[Array, Array]:
    """Return pairs (n_pocket, 2) of link and next link with a turn pocket, and the PCU it holds."""
    if "pockets" not in city.tables:
        return np.empty((0, 2), np.int64), np.empty(0)
    table = city["pockets"]
    return np.stack([table["from_link"], table["to_link"]], axis=1).astype(np.int64), table["storage"]


def yields(city: City) -> list[tuple[int, int, int]]:
    """Return link, next link and the link that goes first, wherever a turn gives way at a signal with a `gap`.

    A turn gives way to the approach it faces if both have green in one phase; which turn crosses
    the other follows from the city's driving side.
    """
    from twin.city.junctions import greens_of_phases, junctions_of_city, permitted_turns

    if "signals" not in city.tables or "gap" not in city["signals"] or "phases" not in city.tables:
        return []
    node = city["signals"]["node"][city["signals"]["gap"] > 0]
    found = permitted_turns(junctions_of_city(city.tables, city.driving_side == "left"), greens_of_phases(city.tables))
    wanted = np.isin(city["links"]["to_node"], node)
    return [turn for turn in found if wanted[turn[0]]]


def write_gaps(city: City, settings: Settings) -> None:
    """Give every signal its gap and late turn; where the column late_turn is left out, LATE_TURN, with a warning."""
    if "signals" not in city.tables or "gap" not in city["signals"]:
        return
    table = city["signals"]
    if "late_turn" not in table and (table["gap"] > 0).any():
        told = f"signals.late_turn of city {city.name} is left out: {int((table['gap'] > 0).sum())} signals"
        warnings.warn(f"{told} take {LATE_TURN:g} s", DefaultedWarning, stacklevel=3)
    late = table["late_turn"] if "late_turn" in table else np.full(table.rows, LATE_TURN)
    for column, values in ((settings.gap, table["gap"]), (settings.late_turn, late)):
        column[table["node"]] = np.rint(values * 1e6).astype(np.int64)


def emergency(names: tuple[str, ...], city: City) -> dict[str, Any]:
    """Return how emergency classes drive, as `Classes` wants it; the city lists them in demand.emergency.

    Raises CityError that names those that are no classes of the demand.
    """
    from twin.errors import CityError

    listed = city.parameters.get("demand", {}).get("emergency", [])
    unknown = [str(name) for name in listed if name not in names]
    if isinstance(listed, str) or unknown:
        what = "must be a list of classes" if isinstance(listed, str) else f"has {', '.join(unknown)}"
        raise CityError(f"demand.emergency of city {city.name} {what}; demand.classes are {', '.join(names)}")
    if not listed:
        return {}
    given = city.parameters.get("rescue", {})
    missing = [name for name in RESCUE if name not in given]
    if missing:
        told = f"traffic takes its own values for {len(missing)} of {len(RESCUE)} parameters of rescue"
        warnings.warn(
            f"{told}, which city {city.name} does not give: {', '.join(missing)}", DefaultedWarning, stacklevel=4
        )
    values = {name: float(value) for name, value in city.settings("rescue", RESCUE).items()}
    wrong = [f"{name} ({value:g})" for name, value in values.items() if not (name == "passing") <= value <= 1e6]
    if wrong:
        raise CityError(f"rescue of city {city.name}: {', '.join(wrong)} must be at least 0, passing at least 1")
    return {"emergency": [name in listed for name in names], **values}


def served(city: City) -> Array:
    """Return the links, and next links or -1, that each row of `phase_links` gives green.

    Raises CityError that names approaches and pockets with two greens, and turns with one of their own but no pocket.
    """
    from twin.city.junctions import wrong_greens
    from twin.errors import CityError

    problems = wrong_greens(city.tables)
    if problems:
        raise CityError(f"phase_links of city {city.name}: {'; '.join(problems)}")
    table = city["phase_links"]
    exits = table.get("to_link", np.full(table.rows, -1))
    return np.stack([table["link"], exits], axis=1).astype(np.int64)


def with_pockets(city: City, columns: dict[str, Array], plans: list[list[tuple[float, float, Array]]]) -> Any:
    """Return the columns of greens with rows for the pockets, which have that of their link or one of their own.

    columns  cycle, start, length and phase, (n_link,)
    plans    by signal, the start, green and links with next links of its phases
    """
    turns = pockets(city)[0]
    if not len(turns):
        return columns
    columns = {name: np.append(column, column[turns[:, 0]]) for name, column in columns.items()}
    place = {(int(a), int(b)): city.rows("links") + row for row, (a, b) in enumerate(turns)}
    for signal, plan in enumerate(plans):
        for rank, (start, green, ways) in enumerate(plan):
            own = [place[link, after] for link, after in ways.tolist() if after >= 0]
            columns["cycle"][own] = city["signals"]["cycle"][signal]
            columns["start"][own], columns["length"][own], columns["phase"][own] = start, green, rank
    return columns
