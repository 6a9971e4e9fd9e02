"""How long each step of a repair takes: distributions by kind of asset, from a table with sources."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from twin.contract import SECOND
from twin.errors import DataError
from twin.models.assets import KINDS

if TYPE_CHECKING:
    from twin.city import City

STEPS = ("inspect", "isolate", "repair", "test")
_COLUMNS = ("asset", "step", "mean_s", "spread", "source")


@dataclass(frozen=True)
class Duration:
    """A lognormal duration: mean (s) and coefficient of variation; 0 makes it fixed."""

    mean: float
    spread: float

    def draw(self, chance: float) -> int:
        """Return the duration (us) at a uniform number in (0, 1); at least 1 us unless the mean is 0."""
        if self.mean == 0.0:
            return 0
        sigma = math.sqrt(math.log1p(self.spread**2))
        drawn = self.mean * math.exp(sigma * NormalDist().inv_cdf(chance) - sigma**2 / 2)
        return max(round(drawn * SECOND), 1)


Durations = Mapping[tuple[str, str], Duration]


def built_in() -> Path:
    """Return the path of the built-in table of durations."""
    from importlib.resources import files

    return Path(str(files("twin") / "scenarios" / "restoration" / "durations.csv"))


def read_durations(path: str | Path) -> dict[tuple[str, str], Duration]:
    """Return duration by kind of asset and step.

    Raises DataError that names file, line and value: an unknown asset or step, a duration that is
    no number of seconds of 0 or more, a line without a source, a kind that lacks a step.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a table of durations ({error})") from None
    found: dict[tuple[str, str], Duration] = {}
    for line, row in enumerate(rows, 2):
        place = f"{path}:{line}"
        key = (_one_of(place, "asset", row, KINDS), _one_of(place, "step", row, STEPS))
        if key in found:
            raise DataError(f"{place}: {key[0]} {key[1]} is given twice")
        if not (row.get("source") or "").strip():
            raise DataError(f"{place}: {key[0]} {key[1]} names no source")
        found[key] = Duration(_number(place, "mean_s", row), _number(place, "spread", row))
    lacking = [f"{kind} {step}" for kind in KINDS for step in STEPS if (kind, step) not in found]
    if lacking:
        raise DataError(f"{path}: there is no duration for {', '.join(lacking)}")
    return found


def _one_of(place: str, column: str, row: Mapping[str, Any], known: tuple[str, ...]) -> str:
    value = str(row.get(column) or "")
    if value not in known:
        raise DataError(f"{place}: {column} ({value!r}) must be one of {', '.join(known)}")
    return value


def _number(place: str, column: str, row: Mapping[str, Any]) -> float:
    try:
        value = float(row.get(column) or "")
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise DataError(f"{place}: {column} ({row.get(column)!r}) must be a number of 0 or more")
    return value


def known_durations(city: City, given: str, folder: str = ".") -> dict[tuple[str, str], Duration]:
    """Return what is known before a run: the table, then the city's `<asset>_repair`.

    given  path of a table from the scenario's folder, "" for the built-in one
    """
    table = read_durations(Path(folder) / given if given else built_in())
    means = city.settings("restoration", {f"{kind}_repair": table[kind, "repair"].mean for kind in KINDS})
    for kind in KINDS:
        table[kind, "repair"] = Duration(float(means[f"{kind}_repair"]), table[kind, "repair"].spread)
    return table


def durations_of(city: City, options: Mapping[str, Any], folder: str = ".") -> dict[tuple[str, str], Duration]:
    """Return the durations of a run: those known of the city, then the options."""
    table = known_durations(city, str(options["durations"]), folder)
    for kind in KINDS:
        for option, step in (("inspection", "inspect"), ("isolation", "isolate"), ("test", "test")):
            if float(options[option]) >= 0:
                table[kind, step] = Duration(float(options[option]), 0.0)
        if float(options["spread"]) >= 0:
            table[kind, "repair"] = Duration(table[kind, "repair"].mean, float(options["spread"]))
    return table
