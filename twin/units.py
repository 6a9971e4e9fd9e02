"""Quantities with units in, SI numbers out; local times in and out, UTC inside.

Factors of units: BIPM, The International System of Units, 9th ed. (2019), tables 2 to 8;
mile and standard gravity: NIST SP 811 (2008), appendix B.8.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from difflib import get_close_matches
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twin.errors import ScenarioError

_FACTORS: dict[str, dict[str, str]] = {
    "1": {"1": "1", "%": "0.01"},
    "s": {"us": "1e-6", "ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"},
    "m": {"mm": "0.001", "cm": "0.01", "m": "1", "km": "1000"},
    "m/s": {"m/s": "1", "km/h": "5/18", "mph": "0.44704", "mm/h": "1/3600000"},
    "m/s2": {"m/s2": "1", "g": "9.80665"},
    "m2": {"m2": "1", "ha": "10000", "km2": "1e6"},
    "m3": {"L": "0.001", "m3": "1", "ML": "1000"},
    "m3/s": {"L/s": "0.001", "m3/s": "1", "m3/h": "1/3600", "ML/d": "10/864"},
    "Pa": {"Pa": "1", "kPa": "1000", "bar": "100000"},
    "W": {"W": "1", "kW": "1000", "MW": "1e6", "GW": "1e9"},
    "VA": {"VA": "1", "kVA": "1000", "MVA": "1e6"},
    "var": {"var": "1", "kvar": "1000", "Mvar": "1e6"},
    "J": {"J": "1", "Wh": "3600", "kWh": "3.6e6", "MWh": "3.6e9"},
    "V": {"V": "1", "kV": "1000"},
    "A": {"A": "1", "kA": "1000"},
    "ohm": {"ohm": "1"},
    "1/s": {"1/s": "1", "1/min": "1/60", "1/h": "1/3600", "1/d": "1/86400"},
    "veh/s": {"veh/s": "1", "veh/h": "1/3600"},
    "veh/m": {"veh/m": "1", "veh/km": "0.001"},
}
_SPELLINGS = {
    "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "hr": "h", "hour": "h",
    "hours": "h", "day": "d", "days": "d", "l": "L", "l/s": "L/s", "kph": "km/h", "percent": "%",
}  # fmt: skip
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_SINGLE = re.compile(rf"\s*({_NUMBER})\s*(\S.*?)?\s*")
_COMPOUND = re.compile(r"\s*(?:\d+(?:\.\d+)?\s*(?![eE]\d)[A-Za-z]+\s*){2,}")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_LARGEST_EXPONENT = 300

ZONE_OFFSETS = {"UTC": 0, "WIB": 7, "WITA": 8, "WIT": 9, "MYT": 8, "SGT": 8}
"""Hours east of UTC of the abbreviations a time may end with (IANA tzdata 2024a, `asia`)."""

_ABBREVIATIONS = {
    "Asia/Kuala_Lumpur": "MYT", "Asia/Kuching": "MYT", "Asia/Singapore": "SGT", "Etc/UTC": "UTC",
}  # fmt: skip
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?"
    r"\s*(Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2})?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class QuantityError(ScenarioError):
    """A quantity or time cannot be read; `reason` is one word a caller can act on.

    reason   "number", "finite", "missing", "unit" or "time"
    allowed  units that would be understood
    nearest  unit closest to the one given, or ""
    """

    def __init__(self, message: str, reason: str, allowed: tuple[str, ...] = (), nearest: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.allowed = allowed
        self.nearest = nearest


def units_of(unit: str) -> tuple[str, ...]:
    """Return the units that can be converted to a unit, which need not be an SI unit.

    >>> units_of("m/s")
    ('m/s', 'km/h', 'mph', 'mm/h')
    """
    return tuple(_factors(unit))


def parse(value: object, unit: str) -> float:
    """Convert a number with a unit to the unit that is wanted, usually the SI unit.

    Raises QuantityError when the unit is missing, unknown or of another dimension.

    >>> parse("90 km/h", "m/s"), parse("2 h 30 min", "s"), parse("30 %", "1")
    (25.0, 9000.0, 0.3)
    """
    return float(_exact(value, unit))


def parse_duration(value: object) -> int:
    """Return a duration in whole microseconds.

    >>> parse_duration("1.5 h")
    5400000000
    """
    return round(_exact(value, "s") * 1_000_000)


def format_duration(time: int) -> str:
    """Write microseconds as text that `parse_duration` reads back exactly.

    >>> format_duration(9_000_500_000)
    '2 h 30 min 0.5 s'
    """
    if time < 0:
        return "-" + format_duration(-time)
    seconds, micro = divmod(time, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} min"] if minutes else []
    if seconds or micro or not parts:
        fraction = f".{micro:06d}".rstrip("0") if micro else ""
        parts.append(f"{seconds}{fraction} s")
    if time and len(parts) > 1:
        return " ".join(parts)
    return parts[0]


def parse_local(text: str, zone: str) -> int:
    """Return UTC microseconds since 1970 of a local time.

    A time may carry an offset (+08:00), Z or an abbreviation of ZONE_OFFSETS; otherwise it is
    local to the IANA zone. Raises QuantityError for a time that does not exist in the zone, or
    that occurs twice when clocks go back.

    >>> parse_local("2026-01-15 17:00", "Asia/Makassar") == parse_local("2026-01-15 09:00 UTC", "Asia/Makassar")
    True
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise QuantityError(f"{text!r} is not a time: write YYYY-MM-DD HH:MM", "time", tuple(ZONE_OFFSETS))
    year, month, day, hour, minute, second, fraction, suffix = found.groups()
    try:
        naive = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    except ValueError as error:
        raise QuantityError(f"{text!r} is not a time: {error}", "time") from error
    naive += timedelta(microseconds=int((fraction or "0").ljust(6, "0")))
    try:
        moment = _with_suffix(naive, suffix, text) if suffix else _in_zone(naive, zone, text)
    except OverflowError as error:
        raise QuantityError(f"{text!r} lies outside the years 1 to 9999 of UTC", "time") from error
    return (moment - _EPOCH) // _MICROSECOND


def format_local(time: int, zone: str) -> str:
    """Write UTC microseconds since 1970 as local time with the zone's abbreviation.

    >>> format_local(parse_local("2026-01-15 17:00", "Asia/Makassar"), "Asia/Makassar")
    '2026-01-15 17:00:00 WITA'
    """
    moment = (_EPOCH + timedelta(microseconds=time)).astimezone(_zone(zone))
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    name = _ABBREVIATIONS.get(zone) or moment.tzname() or "UTC"
    if name.startswith(("+", "-")) or name not in ZONE_OFFSETS:
        offset = moment.strftime("%z")
        name = f"{offset[:3]}:{offset[3:]}"
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} {name}"


def _exact(value: object, unit: str) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise QuantityError(f"{value!r} is not a quantity", "number", units_of(unit))
    if isinstance(value, int | float):
        return _bare(repr(value), unit)
    if unit in _FACTORS["s"] and _COMPOUND.fullmatch(value):
        return sum((_scaled(n, u, unit, value) for n, u in _PART.findall(value)), Fraction(0))
    found = _SINGLE.fullmatch(value)
    if not found:
        if value.strip().lower().lstrip("+-.") in {"nan", "inf", "infinity"}:
            raise QuantityError(f"{value!r} is not a finite number", "finite", units_of(unit))
        raise QuantityError(f"{value!r} is not a number with a unit", "number", units_of(unit))
    if not found[2]:
        return _bare(found[1], unit)
    return _scaled(found[1], found[2], unit, value)


def _bare(number: str, unit: str) -> Fraction:
    if number in {"nan", "inf", "-inf"}:
        raise QuantityError(f"{number} is not a finite number", "finite", units_of(unit))
    if unit not in {"1", ""}:
        raise QuantityError(f"{number} needs a unit, for example '{number} {unit}'", "missing", units_of(unit), unit)
    return _fraction(number)


def _scaled(number: str, name: str, unit: str, text: str) -> Fraction:
    name = name.replace("\N{SUPERSCRIPT TWO}", "2").replace("\N{SUPERSCRIPT THREE}", "3")
    factors = _factors(unit)
    spelled = name if name in factors else _SPELLINGS.get(name, name)
    if spelled not in factors:
        close = get_close_matches(name, factors, 1, 0.5) or [unit]
        what = "measures something else" if _known(spelled) else "is not known"
        raise QuantityError(f"unit {name!r} of {text!r} {what}", "unit", tuple(factors), close[0])
    return _fraction(number) * _ratio(factors[spelled]) / _ratio(factors[unit])


def _factors(unit: str) -> dict[str, str]:
    """Return the factors of all units of the same dimension; a unit of its own for figures like veh h."""
    return _FACTORS.get(unit) or next((factors for factors in _FACTORS.values() if unit in factors), {unit: "1"})


def _ratio(factor: str) -> Fraction:
    return Fraction(*map(Fraction, factor.split("/")))


def _known(name: str) -> bool:
    return any(name in factors for factors in _FACTORS.values())


def _fraction(number: str) -> Fraction:
    exponent = re.split("[eE]", number)[1:]
    if exponent and int(exponent[0]) > _LARGEST_EXPONENT:
        raise QuantityError(f"{number} is beyond every physical quantity", "number")
    return Fraction(number)


def _zone(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise QuantityError(f"time zone {zone!r} is not an IANA name such as Asia/Makassar", "time") from error


def _with_suffix(naive: datetime, suffix: str, text: str) -> datetime:
    if suffix == "Z":
        return naive.replace(tzinfo=UTC)
    if suffix[0] in "+-":
        hours, minutes = int(suffix[1:3]), int(suffix[-2:])
        sign = 1 if suffix[0] == "+" else -1
        if hours > 14 or minutes > 59:
            raise QuantityError(f"{text!r}: an offset lies between -14:00 and +14:00", "time")
        return naive.replace(tzinfo=timezone(sign * timedelta(hours=hours, minutes=minutes)))
    if suffix not in ZONE_OFFSETS:
        close = get_close_matches(suffix, ZONE_OFFSETS, 1, 0.4) or [""]
        raise QuantityError(f"{text!r}: abbreviation {suffix} is not known", "time", tuple(ZONE_OFFSETS), close[0])
    return naive.replace(tzinfo=timezone(timedelta(hours=ZONE_OFFSETS[suffix])))


def _in_zone(naive: datetime, zone: str, text: str) -> datetime:
    first = naive.replace(tzinfo=_zone(zone), fold=0)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None) != naive:
        raise QuantityError(f"{text!r} does not exist in {zone}: clocks go forward then", "time")
    offsets = [moment.strftime("%z") for moment in (first, second)]
    raise QuantityError(f"{text!r} occurs twice in {zone}: add an offset, {offsets[0]} or {offsets[1]}", "time")
