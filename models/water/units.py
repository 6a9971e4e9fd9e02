"""Units that EPANET speaks, in SI.

EPANET's own conversion factors are rounded (1 CFS = 28.317 L/s), so a network is handed to it in
the units its file was written in: then both read the same numbers. Factors of this module are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.errors import CityError

FOOT = 0.3048
INCH = 0.0254
_GALLON = 0.003785411784
_IMPERIAL_GALLON = 0.00454609
_DAY = 86400.0
PSI_HEAD = FOOT / 0.4333
_PRESSURES = {"PSI": PSI_HEAD, "KPA": PSI_HEAD / 6.895, "BAR": PSI_HEAD / 0.068948, "METE": 1.0, "FEET": FOOT}
"""m of water in one unit of pressure. Source: EPANET 2.3, types.h (PSIperFT, KPAperPSI, BARperPSI)."""

HORSEPOWER = 745.699872

FLOWS: dict[str, float] = {
    "CFS": FOOT**3,
    "GPM": _GALLON / 60,
    "MGD": 1e6 * _GALLON / _DAY,
    "IMGD": 1e6 * _IMPERIAL_GALLON / _DAY,
    "AFD": 43560 * FOOT**3 / _DAY,
    "LPS": 1e-3,
    "LPM": 1e-3 / 60,
    "MLD": 1e3 / _DAY,
    "CMH": 1 / 3600,
    "CMD": 1 / _DAY,
    "CMS": 1.0,
}
"""m3/s in one unit of flow. Source: definitions of the international foot and of both gallons."""

_CUSTOMARY = ("CFS", "GPM", "MGD", "IMGD", "AFD")


@dataclass(frozen=True)
class Units:
    """SI values of one unit of each quantity as EPANET reads it.

    flow m3/s; length m (also head and level); diameter m (of pipes); pressure m of water (that of
    emitters whatever a file says); power W; roughness m (only the Darcy-Weisbach formula has one with a unit)
    """

    name: str
    flow: float
    length: float
    diameter: float
    pressure: float
    power: float
    roughness: float


def units_of(name: str) -> Units:
    """Return the system that goes with a unit of flow; raises CityError for an unknown one.

    A psi is 1/0.4333 ft of water, as EPANET has it.
    """
    if name not in FLOWS:
        raise CityError(f"flow unit {name!r} is none of EPANET's: {', '.join(FLOWS)}")
    if name in _CUSTOMARY:
        return Units(name, FLOWS[name], FOOT, INCH, PSI_HEAD, HORSEPOWER, 1e-3 * FOOT)
    return Units(name, FLOWS[name], 1.0, 1e-3, 1.0, 1000.0, 1e-3)


def pressure_unit(word: str, flow: str, gravity: float) -> float:
    """Return the metres of a liquid in a unit of pressure, "" for the one that goes with a unit of flow.

    gravity  density of the liquid over that of water: a metre of it weighs so much more psi, kPa or bar.
    Raises CityError for an unknown unit.
    """
    name = word or ("PSI" if flow in _CUSTOMARY else "METERS")
    if name[:4] not in _PRESSURES:
        raise CityError(f"pressure unit {word!r} is none of EPANET's: PSI, KPA, METERS, BAR, FEET")
    return _PRESSURES[name[:4]] / (gravity if name[:4] in ("PSI", "KPA", "BAR") else 1.0)
