"""Read grids written as MATPOWER cases: the tables bus, gen and branch of an .m file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.city.grid_tables import STIFF, GridParts
from twin.errors import CityError

Floats = NDArray[np.float64]

_LEAST = {"bus": 13, "gen": 8, "branch": 11}
_TABLE = re.compile(r"mpc\.(bus|gen|branch)\s*=\s*\[(.*?)\]\s*;", re.S)
_OHM = re.compile(r"mpc\.branch\(:,\s*\[BR_R,?\s*BR_X\]\)\s*=\s*mpc\.branch\(.*?\)\s*/\s*\(Vbase\^2\s*/\s*Sbase\)")
_KILO = re.compile(r"mpc\.bus\(:,\s*\[PD,\s*QD\]\)\s*=\s*mpc\.bus\(.*?\)\s*/\s*1e3")
_OTHER = re.compile(r"^\s*mpc\.(bus|gen|branch)\(.*=", re.M)


def read_matpower(path: Path, text: str) -> GridParts:
    """Return the parts of a MATPOWER case of version 2.

    Branches between buses of one rated voltage and without a ratio become lines, others
    transformers. Generators at the reference bus become sources that hold their voltage exactly, those at
    buses of type 2 hold theirs by reactive power. Of the statements behind the tables, two are understood:
    impedances in ohm and loads in kW, as MATPOWER's distribution cases state them.
    Left out and counted: phase shifts, charging of transformers, parts out of service.
    """
    bare = re.sub(r"%.*", "", text)
    tables = {name: _matrix(path, name, body) for name, body in _TABLE.findall(bare)}
    missing = [f"mpc.{name}" for name in _LEAST if name not in tables]
    base = re.search(r"mpc\.baseMVA\s*=\s*([\d.eE+-]+)", bare)
    if missing or base is None:
        raise CityError(
            f"{path}: lacks {', '.join(missing or ['mpc.baseMVA'])}; this is not a MATPOWER case of version 2"
        )
    rest = _TABLE.sub("", bare)
    in_ohm, in_kilo = bool(_OHM.search(rest)), bool(_KILO.search(rest))
    strange = _OTHER.search(_KILO.sub("", _OHM.sub("", rest)))
    if strange:
        found = strange.group().strip()
        raise CityError(f"{path}: the statement {found!r} changes a table and is not understood; write the result out")
    return _parts(GridParts(path.name), tables, float(base.group(1)) * 1e6, in_ohm, 1e3 if in_kilo else 1e6)


def _matrix(path: Path, name: str, body: str) -> Floats:
    """Return a table of numbers, one row per line or semicolon."""
    rows = []
    for number, line in enumerate(filter(str.strip, re.split(r"[;\n]", body)), 1):
        try:
            rows.append([float(part) for part in re.split(r"[\s,]+", line.strip())][: _LEAST[name]])
        except ValueError:
            raise CityError(f"{path}: row {number} of mpc.{name} is not all numbers: {line.strip()[:60]!r}") from None
        if len(rows[-1]) < _LEAST[name]:
            raise CityError(f"{path}: row {number} of mpc.{name} has {len(rows[-1])} numbers, not {_LEAST[name]}")
    return np.array(rows).reshape(-1, _LEAST[name])


def _parts(parts: GridParts, tables: dict[str, Floats], base: float, in_ohm: bool, unit: float) -> GridParts:
    kinds = {}
    for row in tables["bus"]:
        key = int(row[0])
        parts.bus(key, f"bus{key}", 1e3 * row[9])
        kinds[key] = int(row[1])
        if row[1] != 4 and (row[2] or row[3]):
            parts.load(f"load of bus {key}", key, unit * complex(row[2], row[3]))
        parts.rows["buses"][-1]["g"] = 1e6 * row[4] / max(1e3 * row[9], 1.0) ** 2
        parts.rows["buses"][-1]["b"] = 1e6 * row[5] / max(1e3 * row[9], 1.0) ** 2
    for number, row in enumerate(tables["branch"], 1):
        _branch(parts, number, row, base, in_ohm)
    for number, row in enumerate(tables["gen"], 1):
        _generator(parts, number, row, kinds)
    return parts


def _branch(parts: GridParts, number: int, row: Floats, base: float, in_ohm: bool) -> None:
    ends = {name: parts.at(f"branch {number}", int(key)) for name, key in (("from_bus", row[0]), ("to_bus", row[1]))}
    if min(ends.values()) < 0:
        return
    high, low = (parts.rows["buses"][bus]["u_rated"] for bus in ends.values())
    if not min(high, low) > 0:
        return
    ohm = 1.0 if in_ohm else low**2 / base
    closed, ratio = bool(row[10]), row[8] or 1.0
    parts.dropped["phase shift"] += row[9] != 0
    if high == low and ratio == 1.0:
        susceptance = row[4] / (low**2 / base)
        values = {"r": row[2] * ohm, "x": row[3] * ohm, "c": susceptance / (2 * np.pi * 50.0)}
        rated = 1e6 * row[5] / (np.sqrt(3) * low)
        parts.add("lines", id=f"branch{number}", **ends, **values, i_n=rated, length=1.0, closed=closed)
    elif closed:
        size = np.hypot(row[2], row[3]) * ohm / (low**2 / base)
        values = {"u1": high, "u2": low, "s_n": base, "uk": size, "pk": row[2] * ohm / (low**2 / base) * base}
        parts.add("transformers", id=f"branch{number}", **ends, **values, i0=0.0, p0=0.0, tap=ratio)
        parts.dropped["charging of a transformer"] += row[4] != 0
    else:
        parts.dropped["transformer out of service"] += 1


def _generator(parts: GridParts, number: int, row: Floats, kinds: dict[int, int]) -> None:
    key, part = int(row[0]), f"generator {number}"
    bus = parts.at(part, key)
    if bus < 0 or row[7] <= 0:
        parts.dropped["generator out of service"] += bus >= 0
        return
    name = f"gen{number}"
    if kinds[key] == 3:
        parts.add("sources", id=name, bus=bus, u_ref=row[5], sk=STIFF)
        return
    holds = kinds[key] == 2
    parts.add("generators", id=name, bus=bus, p=1e6 * row[1], q=0.0 if holds else 1e6 * row[2], kind="steady")
    if holds:
        parts.machine(name, bus, row[5], (1e6 * row[4], 1e6 * row[3]))
