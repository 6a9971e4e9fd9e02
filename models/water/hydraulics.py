"""The settings of the hydraulic solver and of its clock, from a city's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from twin.errors import CityError

if TYPE_CHECKING:
    from twin.city import City

_STEPS = ("hydraulic_step", "pattern_step", "report_step", "rule_step", "trials", "check_every")
_STARTS = ("pattern_start", "start_clock", "check_until")
_WHOLE = (*_STEPS, *_STARTS)
_ABOVE_ZERO = ("accuracy", "viscosity", "gravity", "emitter_exponent", "pressure_exponent")
_FROM_ZERO = ("tolerated", "damp_limit", "demand_multiplier", "least_pressure")
_LIMITS = (
    *((name, 1, False) for name in _STEPS),
    *((name, 0, False) for name in (*_STARTS, *_FROM_ZERO)),
    *((name, 0, True) for name in _ABOVE_ZERO),
)


@dataclass(frozen=True)
class Hydraulics:
    """Settings of the solver and of the clock, SI units.

    Times in s. `pressure_driven` demand is met in full at `required_pressure` (m) and not at all at
    `least_pressure`, between them by the power `pressure_exponent` (Wagner et al. 1988). A solution
    that no longer improves is used when its relative flow change is at most `tolerated`, and counted:
    networks with many check valves and very short pipes end there in double precision. So is one whose
    flows change, on the mean of its links, by no more than what EPANET takes for no flow.
    """

    units: str = "LPS"
    headloss: str = "H-W"
    viscosity: float = 1.0
    gravity: float = 1.0
    trials: int = 60
    accuracy: float = 1e-6
    tolerated: float = 2e-4
    check_every: int = 2
    check_until: int = 10
    damp_limit: float = 0.0
    emitter_exponent: float = 0.5
    emitter_backflow: bool = True
    demand_multiplier: float = 1.0
    pressure_driven: bool = True
    least_pressure: float = 0.0
    required_pressure: float = 14.069
    pressure_exponent: float = 0.5
    hydraulic_step: int = 3600
    pattern_step: int = 3600
    pattern_start: int = 0
    report_step: int = 3600
    rule_step: int = 360
    start_clock: int = 0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Hydraulics:
        """Read the settings a city gives; raises CityError for one that is unknown or out of range."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise CityError(f"parameters.water has no setting {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        found = cls(**{name: _whole(name, value) for name, value in given.items()})
        for name, least, strict in _LIMITS:
            value = getattr(found, name)
            if not (value > least if strict else value >= least) or value == float("inf"):
                told = "greater than" if strict else "at least"
                raise CityError(f"parameters.water.{name} ({value:g}) must be {told} {least:g}")
        if not found.required_pressure > found.least_pressure:
            told = f"({found.required_pressure:g}) must exceed least_pressure ({found.least_pressure:g})"
            raise CityError(f"parameters.water.required_pressure {told}")
        return found


def local_day(city: City, hour: float) -> dict[str, int]:
    """Return what lets patterns and clock times follow the local hour, for a city that does not say how they start."""
    said, start = city.parameters.get("water", {}), round(hour * 3600)
    return {name: start for name in ("pattern_start", "start_clock") if name not in said}


def _whole(name: str, value: Any) -> Any:
    """Return a setting that counts seconds or trials as an integer, any other as it is."""
    if name not in _WHOLE:
        return value
    if not float(value).is_integer():
        raise CityError(f"parameters.water.{name} ({value}) must be a whole number")
    return int(value)
