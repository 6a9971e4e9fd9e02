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
    for words in reading.sections["CONTROLS"]:
        try:
            rows.append(_control(reading, words))
        except (IndexError, ValueError, KeyError) as error:
            reading.leave_out(f"control left out ({error}): {' '.join(words)}")
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
        if words[5] in reading.model.reservoir_name_list:
            reading.leave_out(f"control on a reservoir acts at every step, as in EPANET: {' '.join(words)}")
        scale = reading.units.pressure if junction else reading.units.length
        return link, when, node, float(words[7]) * scale, status, setting
    when = {"TIME": "time", "CLOCKTIME": "clock"}[words[4].upper()]
    time = seconds(words[5], words[6] if len(words) > 6 else "")
    return link, when, -1, time % 86400 if when == "clock" else time, status, setting


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


_IN_HOURS = {"SEC": 1 / 3600, "MIN": 1 / 60, "HOU": 1.0, "DAY": 24.0}


def seconds(word: str, half: str = "") -> float:
    """Return a time of day or a duration in s: `6`, `6.5`, `6:30`, `6:30:15`, with AM or PM, or with a unit.

    Raises CityError for a time that cannot be read.
    """
    try:
        parts = [float(part) for part in word.split(":")]
    except ValueError:
        parts = []
    unit = half.upper()
    halves = unit in ("AM", "PM")
    known = not unit or halves or (unit[:3] in _IN_HOURS and len(parts) == 1)
    if not (0 < len(parts) < 4 and known and all(0.0 <= part < 1e9 for part in parts)):
        raise CityError(f"{f'{word} {half}'.strip()!r} is not a time such as 6, 6:30, 6:30:15 PM or 90 MIN")
    value = sum(part * scale for part, scale in zip(parts, (3600.0, 60.0, 1.0), strict=False))
    if halves and value >= 13 * 3600:
        raise CityError(f"{word} {half} is no time of day: before AM or PM stands less than 13 hours")
    if halves:
        value = value % 43200 + 43200 * (unit == "PM")
    return float(round(value * _IN_HOURS.get(unit[:3], 1.0)))
