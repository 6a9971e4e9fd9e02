"""Tables and options as users bring them: what is none is named, what looks like a slip is asked about."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.traffic.alone import Rules

Array = np.ndarray[Any, Any]

OPTIONAL = {
    "links": ("lanes", "capacity", "jam_density", "reaction_time", "weight", "rank"),
    "trips": ("class",),
    "signals": ("offset", "amber", "all_red", "to_link"),
    "changes": ("capacity", "speed", "lanes", "open"),
}
NUMBERS = {
    "links": ("length", "speed", "lanes", "capacity", "jam_density", "reaction_time", "weight", "rank"),
    "trips": ("depart",),
    "signals": ("cycle", "start", "green", "offset", "amber", "all_red"),
    "pockets": ("storage",),
    "changes": ("time", "capacity", "speed", "lanes", "open"),
}
UNITS = {
    "length": "m", "speed": "m/s", "capacity": "veh/s", "jam_density": "veh/m per lane", "reaction_time": "s",
    "depart": "s", "cycle": "s", "start": "s", "green": "s", "offset": "s", "amber": "s", "all_red": "s",
    "storage": "PCU", "time": "s",
}  # fmt: skip
_OTHER_NAMES = {
    "from": ("source", "from_node", "origin", "u"),
    "to": ("target", "to_node", "destination", "v"),
    "depart": ("departure", "departure_time"),
    "speed": ("maxspeed", "max_speed", "free_flow_speed"),
    "lanes": ("lane_count", "n_lanes"),
    "class": ("vehicle", "vehicle_class", "vehicle_type"),
    "open": ("closed", "close", "is_closed"),
}
"""Names that others have for a column."""
_MEANS = {"open": " False closes a link"}
WRITTEN = {"trips": ("wait", "arrive", "time", "outcome"), "links": ("vehicles", "mean_time", "free_time", "delay")}
"""Columns of a result; a table that has them all is one of an earlier result."""
_ALIKE = 0.8
"""Share of letters in common (Ratcliff and Obershelp) from which a name is taken for a slip: one letter of five."""
_TABLES = ("banned_turns", "signals", "nodes", "pockets")
_OF_NUMBER = (
    "gap", "late_turn", "passing", "green_ahead", "green_clear", "green_most", "relax_after", "informed_share",
    "refresh", "seed",
)  # fmt: skip
_NONE = ("gap", "relax_after", "guided_nodes")
"""Options that may be None."""
_LISTS = {"emergency": "classes", "guided_nodes": "nodes"}


def numbers(frame: pd.DataFrame, name: str) -> Array:
    """Return a column as numbers, nan where a value is none; dates, spans of time and complex numbers are none."""
    import pandas as pd

    given = pd.to_numeric(frame[name], errors="coerce")
    if frame[name].dtype.kind in "mM" or given.dtype.kind == "c":
        return np.full(len(frame), np.nan)
    return np.asarray(given.to_numpy(float, na_value=np.nan))


def with_numbers(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with numbers in place of the text in its columns of numbers."""
    from pandas.api.types import is_numeric_dtype

    text = [name for name in NUMBERS.get(table, ()) if name in frame and not is_numeric_dtype(frame[name])]
    return frame.assign(**{name: numbers(frame, name) for name in text}) if text else frame


def refuse_types(frames: Mapping[str, Any], rules: Rules, until: Any) -> None:
    """Raise TypeError for the first table that is no data frame, and the first option that is no number."""
    import pandas as pd

    options = {item.name: getattr(rules, item.name) for item in fields(rules)}
    for name, table in {**frames, **{name: options[name] for name in _TABLES}}.items():
        if not isinstance(table, pd.DataFrame) and (table is not None or name in ("links", "trips")):
            raise TypeError(f"{name} must be a pandas DataFrame, not {type(table).__name__}")
    if not isinstance(rules.pcu, Mapping):
        raise TypeError(f"pcu must be a mapping of classes to numbers, not {type(rules.pcu).__name__}")
    sizes = {f"pcu of {name}": value for name, value in rules.pcu.items()}
    given = {name: options[name] for name in _OF_NUMBER if options[name] is not None or name not in _NONE}
    refuse_no_numbers({**given, **sizes, **({} if until is None else {"until": until})})
    for name, what in _LISTS.items():
        if options[name] is not None or name not in _NONE:
            refuse_no_list(name, options[name], what)


def refuse_no_numbers(values: Mapping[str, Any]) -> None:
    """Raise TypeError for the first value that is no number."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} ({value!r}) must be a number")


def refuse_no_list(name: str, value: Any, what: str) -> None:
    """Raise TypeError for what is no list of something; a text is none."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} ({value!r}) must be a list of {what}")


def wrong_columns(table: str, frame: pd.DataFrame, needed: tuple[str, ...]) -> list[str]:
    """Name columns that are missing, there twice, or unknown and alike to one that is not there."""
    given = [name for name in frame.columns if isinstance(name, str)]
    twice = sorted({name for name in given if given.count(name) > 1})
    problems = [f"{table}: column {name} is there {given.count(name)} times" for name in twice]
    known = (*needed, *OPTIONAL.get(table, ()), *WRITTEN.get(table, ()))
    strange = [name for name in given if name not in known]
    for missing in (name for name in needed if name not in given):
        unit = f", in {UNITS[missing]}" if missing in UNITS else ""
        instead = [name for name in strange if _is_like(name, missing) or _plain(name).startswith(f"{missing}_")]
        hint = f"; is it {instead[0]}?" if instead else f"; there are {', '.join(given)}" if given else ""
        problems.append(f"{table}: column {missing} is missing{unit}{hint}")
    absent = [name for name in OPTIONAL.get(table, ()) if name not in given]
    for name in strange:
        alike = [other for other in absent if _is_like(name, other)]
        problems += [f"{table}: column {name} is unknown; is it {_named(alike[0])}"] if alike else []
    return problems


def _is_like(name: str, known: str) -> bool:
    """Say whether a name is a slip of a known one, or what others call it."""
    plain = _plain(name)
    return plain in _OTHER_NAMES.get(known, ()) or bool(get_close_matches(plain, [known], 1, _ALIKE))


def _named(column: str) -> str:
    return f"{column}?{_MEANS.get(column, '')}"


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def warn_of_replaced(frames: Mapping[str, pd.DataFrame]) -> None:
    """Warn of columns that a result will replace, unless the table is that of a result."""
    for table, written in WRITTEN.items():
        brought = [name for name in written if name in frames[table]]
        if brought and len(brought) < len(written):
            said = f"{table}: the result replaces your column {', '.join(brought)}; give it another name to keep it"
            warnings.warn(said, UserWarning, stacklevel=3)
