"""Turn single values of a scenario into SI values, or into problems."""

from __future__ import annotations

import math
from typing import Any

from twin import units
from twin.contract import HOUR, Option
from twin.scenario.problems import Mark, Problems
from twin.scenario.tree import Node

_CODES = {"number": "E120", "finite": "E124", "missing": "E121", "unit": "E122", "time": "E126"}
_CLOCK_LENGTH = 8
_DAY = 24 * HOUR
LONGEST_RUN = 366 * _DAY
"""Longest run (us)."""

_YEAR = 365.25 * 86_400
_MOST_YEARS = 100
_MOST_NUMBER = 1e15
_MOST_INTEGER = 2**31 - 1


def read_value(node: Node, option: Option, problems: Problems) -> Any:
    """Return the SI value of an option, None after noting a problem."""
    if not node.is_scalar:
        problems.add(node.mark, "E105", f"{option.name} takes a single value: {option.meaning}")
        return None
    reader = {
        "flag": _flag,
        "choice": _choice,
        "text": _text,
        "path": _text,
        "integer": _integer,
        "number": _number,
        "quantity": _quantity,
    }[option.kind]
    value = reader(node, option, problems)
    return None if value is None or not _within(value, node, option, problems) else value


def read_checked(node: Node, option: Option, problems: Problems) -> Any:
    """Return the SI value of a key whose shape `check_keys` has looked at, None after a problem."""
    return read_value(node, option, problems) if node.is_scalar else None


def read_duration(node: Node, name: str, problems: Problems, least: int = 1, most: int = LONGEST_RUN) -> int | None:
    """Return a positive duration in us; the shape of the node has been looked at.

    least, most  us  bounds, both allowed
    """
    if not node.is_scalar:
        return None
    try:
        time = units.parse_duration(node.value)
    except units.QuantityError as error:
        note(node.mark, f"{name}: {error}", error, problems)
        return None
    if time <= 0:
        problems.add(node.mark, "E123", f"{name} ({node.value}) must be longer than 0 s")
        return None
    if not least <= time <= most:
        bound = f"at least {_days(least)}" if time < least else f"at most {_days(most)}"
        problems.add(node.mark, "E123", f"{name} ({node.value}) must be {bound}")
        return None
    return time


def _days(time: int) -> str:
    return f"{time // _DAY} d" if time >= _DAY else units.format_duration(time)


def read_time(node: Node, name: str, zone: str, problems: Problems) -> int | None:
    """Return a local time as UTC us since 1970; the shape of the node has been looked at."""
    if not node.is_scalar:
        return None
    try:
        return units.parse_local(str(node.value), zone)
    except units.QuantityError as error:
        note(node.mark, f"{name}: {error}", error, problems)
        return None


def read_moment(node: Node, start: int, zone: str, problems: Problems) -> int | None:
    """Return an instant of the run in us since its start.

    Accepts '+2 h' after the start, a local time, or a clock time 'HH:MM', the first one after the start.
    """
    if not node.is_scalar:
        return None
    text = str(node.value).strip()
    if isinstance(node.value, int | float) or text.startswith("+"):
        try:
            return units.parse_duration(text.removeprefix("+").strip())
        except units.QuantityError as error:
            note(node.mark, f"at: {error}", error, problems)
            return None
    if ":" in text and len(text) <= _CLOCK_LENGTH:
        text = f"{units.format_local(start, zone)[:10]} {text}"
        time = read_time(Node(text, node.mark), "at", zone, problems)
        return None if time is None else (time - start) % _DAY
    time = read_time(node, "at", zone, problems)
    return None if time is None else time - start


def read_names(node: Node, name: str, problems: Problems) -> list[Node]:
    """Return the entries of a list of words; a single word counts as a list of one."""
    entries = node.value if node.is_list else [node]
    good = [entry for entry in entries if entry.is_scalar and entry.value is not None]
    if len(good) < len(entries):
        problems.add(node.mark, "E105", f"{name} takes a list of names")
    return good


def note(mark: Mark, message: str, error: units.QuantityError, problems: Problems) -> None:
    """Note a quantity that cannot be read, with the units that can."""
    near = error.nearest if error.nearest in error.allowed else ""
    problems.add(mark, _CODES[error.reason], message, error.allowed, near)


def is_path(option: Option) -> bool:
    """Tell an option whose value names a file or folder."""
    named = option.name in {"file", "folder"} or option.name.endswith(("_file", "_folder"))
    return option.kind == "path" or (option.kind == "text" and named)


def _wrong(node: Node, option: Option, wanted: str, problems: Problems) -> None:
    problems.add(node.mark, "E120", f"{option.name} ({node.value}) must be {wanted}: {option.meaning}")


def _flag(node: Node, option: Option, problems: Problems) -> bool | None:
    if isinstance(node.value, bool):
        return node.value
    problems.add(node.mark, "E120", f"{option.name} ({node.value}) is yes or no", ("true", "false"))
    return None


def _choice(node: Node, option: Option, problems: Problems) -> str | None:
    if node.value in option.choices:
        return str(node.value)
    text = str(node.value)
    problems.add(node.mark, "E125", f"{option.name} ({text}) is not a choice", option.choices, text)
    return None


def _text(node: Node, option: Option, problems: Problems) -> str | None:
    if node.value is not None and not isinstance(node.value, bool):
        return str(node.value)
    _wrong(node, option, "a text", problems)
    return None


def _integer(node: Node, option: Option, problems: Problems) -> int | None:
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    _wrong(node, option, "a whole number", problems)
    return None


def _number(node: Node, option: Option, problems: Problems) -> float | None:
    if isinstance(node.value, str):
        return _quantity(node, option, problems)
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        _wrong(node, option, "a number", problems)
        return None
    if not math.isfinite(node.value):
        problems.add(node.mark, "E124", f"{option.name} ({node.value}) must be a finite number")
        return None
    return node.value


def _quantity(node: Node, option: Option, problems: Problems) -> float | None:
    try:
        return units.parse(node.value, option.unit)
    except units.QuantityError as error:
        note(node.mark, f"{option.name}: {error}", error, problems)
        return None


def _within(value: Any, node: Node, option: Option, problems: Problems) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    low, high = bounds(option)
    if low <= value <= high:
        return True
    unit = "" if option.unit == "1" else f" {option.unit}"
    limit = low if value < low else high
    told = f"{_MOST_YEARS} years" if option.unit == "s" and limit == _MOST_YEARS * _YEAR else f"{_plain(limit)}{unit}"
    bound = f"at {'least' if value < low else 'most'} {told}"
    problems.add(node.mark, "E123", f"{option.name} ({node.value}) must be {bound}")
    return False


def _plain(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def bounds(option: Option) -> tuple[float, float]:
    """Return the least and largest value of a number: the option's own, else what any run can bear.

    Times end at 100 years, which fit the clock (int64 us) a thousand times over.
    """
    most = _MOST_INTEGER if option.kind == "integer" else _MOST_YEARS * _YEAR if option.unit == "s" else _MOST_NUMBER
    return -most if option.low is None else option.low, most if option.high is None else option.high
