"""Read the simple controls of an .inp file into a table.

    water_controls   link (water link), when (below, above, time, clock), node (water node, -1 for time),
                     limit (m of head above the node's elevation, or s), status (0 closed, 1 open,
                     2 valve keeps a setting), setting (SI, NaN for none)

Source: EPANET 2.2 Users Manual, appendix C, [CONTROLS].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import CityError
from twin.models.water.backend import ACTIVE, CLOSED, OPEN

if TYPE_CHECKING:
    from twin.models.water.inp import Reading
    from twin.models.water.units import Units

WHEN = ("below", "above", "time", "clock")
_VALVES = ("PRV", "PSV", "PBV", "FCV", "TCV", "GPV")


def controls_table(reading: Reading) -> dict[str, np.ndarray[Any, Any]]:
    """Return the table; a statement the twin cannot express is counted in the report."""
    rows = []
    for line in reading.sections["[CONTROLS]"]:
        words = line.split()
        if not words:
            continue
        try:
            rows.append(_control(reading, words))
        except (IndexError, ValueError, KeyError) as error:
            reading.leave_out(f"control left out ({error}): {line}")
    columns = list(zip(*rows, strict=True)) or [()] * 6
    kinds = (np.int32, np.str_, np.int32, np.float64, np.int8, np.float64)
    names = ("link", "when", "node", "limit", "status", "setting")
    return {n: np.array(c or np.zeros(0), dtype=k) for n, c, k in zip(names, columns, kinds, strict=True)}


def _control(reading: Reading, words: list[str]) -> tuple[int, str, int, float, int, float]:
    """Read `LINK x status IF NODE y ABOVE v`, `... AT TIME t` or `... AT CLOCKTIME t AM`."""
    link = _named(reading.links, words[1], "link")
    kind = reading.kinds[words[1]]
    if kind == "cv":
        raise ValueError(f"{words[1]} has a check valve")
    status, setting = status_and_setting(words[2], kind, reading.units)
    if words[3].upper() == "IF":
        node = _named(reading.nodes, words[5], "node")
        when = {"BELOW": "below", "ABOVE": "above"}[words[6].upper()]
        junction = node < len(reading.model.junction_name_list)
        scale = reading.units.pressure if junction else reading.units.length
        return link, when, node, float(words[7]) * scale, status, setting
    when = {"TIME": "time", "CLOCKTIME": "clock"}[words[4].upper()]
    return link, when, -1, seconds(words[5], words[6] if len(words) > 6 else ""), status, setting


def _named(rows: dict[str, int], name: str, kind: str) -> int:
    if name not in rows:
        raise ValueError(f"there is no {kind} {name}")
    return rows[name]


def status_and_setting(word: str, kind: str, units: Units) -> tuple[int, float]:
    """Return what OPEN, CLOSED or a number makes of a link of a kind.

    A pump that is opened runs at its rated speed; a valve that is opened or closed keeps no
    setting; a pipe can be neither throttled nor sped up. Source: EPANET 2.2, input3.c.
    """
    told = word.upper()
    if told in ("OPEN", "CLOSED"):
        status = OPEN if told == "OPEN" else CLOSED
        return status, float(status) if kind == "pump" else np.nan
    value = float(word)
    if kind == "pump":
        return (OPEN if value > 0 else CLOSED), value
    if kind == "pipe":
        return (OPEN if value > 0 else CLOSED), np.nan
    if kind not in _VALVES or kind == "GPV":
        raise ValueError(f"a {kind} has no setting to control")
    scale = {"PRV": units.pressure, "PSV": units.pressure, "PBV": units.pressure, "FCV": units.flow}.get(kind, 1.0)
    return ACTIVE, value * scale


def seconds(word: str, half: str = "") -> float:
    """Return a time of day or a duration in s: `6`, `6.5`, `6:30`, `6:30:15`, with AM or PM, or with a unit.

    Raises CityError for a time that cannot be read.
    """
    try:
        parts = [float(part) for part in word.split(":")]
    except ValueError:
        raise CityError(f"{word!r} is not a time such as 6, 6:30 or 6:30:15") from None
    value = sum(part * scale for part, scale in zip(parts, (3600.0, 60.0, 1.0), strict=False))
    unit = half.upper()
    if unit.startswith(("SEC", "MIN", "DAY")):
        value *= {"SEC": 1 / 3600, "MIN": 1 / 60, "DAY": 24.0}[unit[:3]]
    elif unit == "AM" and value >= 43200:
        value -= 43200
    elif unit == "PM" and value < 43200:
        value += 43200
    return float(round(value))
