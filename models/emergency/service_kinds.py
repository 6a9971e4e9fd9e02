"""What units can do and what incidents need, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CAPABILITIES = ("treat", "advanced", "carry", "pump", "ladder", "extricate", "secure")
"""Basic life support, advanced life support, transport of a patient, pump with crew, aerial
ladder, freeing of trapped people, police. A set of them is a number: bit i for the i-th."""


@dataclass(frozen=True, slots=True)
class UnitKind:
    """A kind of unit: what it can do, and how much longer its crew takes to leave than an ambulance's."""

    can: tuple[str, ...]
    turnout: float = 1.0


# Turnout: NFPA 1710 (2020), 4.1.2.1: 80 s for fire and special operations, 60 s for medical calls;
# a responder who sits on the motorcycle leaves in half that, and police are on the road (assumptions).
UNIT_KINDS: Mapping[str, UnitKind] = {
    "ambulance": UnitKind(("treat", "advanced", "carry")),
    "ambulance_basic": UnitKind(("treat", "carry")),
    "ambulance_advanced": UnitKind(("treat", "advanced", "carry")),
    "motorcycle": UnitKind(("treat",), 0.5),
    "fire": UnitKind(("pump",), 80 / 60),
    "fire_engine": UnitKind(("pump",), 80 / 60),
    "ladder": UnitKind(("ladder",), 80 / 60),
    "rescue": UnitKind(("extricate", "pump"), 80 / 60),
    "police": UnitKind(("secure",), 0.0),
}

# Shares and needs are assumptions of common first-alarm assignments; `share` is that of all calls.
INCIDENT_KINDS: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "medical": (1.0, ("treat+carry",)),
    "medical_critical": (0.0, ("advanced+carry", "treat")),
    "traffic_accident": (0.0, ("treat+carry", "secure", "extricate")),
    "fire": (0.0, ("pump", "pump", "ladder", "treat+carry", "secure")),
    "crime": (0.0, ("secure",)),
    "mass_casualty": (0.0, ("advanced+carry", "pump", "extricate", "secure", "secure")),
}


def bits(words: str) -> int:
    """Return the number of a set of capabilities written `treat+carry`, -1 when one is not known.

    >>> bits("treat+carry"), bits("fly")
    (5, -1)
    """
    names = words.split("+")
    if not all(name in CAPABILITIES for name in names):
        return -1
    return sum(1 << CAPABILITIES.index(name) for name in set(names))


def words(need: int) -> str:
    """Write a set of capabilities; "any unit" for none."""
    return "+".join(name for i, name in enumerate(CAPABILITIES) if need >> i & 1) or "any unit"
