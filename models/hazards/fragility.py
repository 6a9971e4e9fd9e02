"""Read fragility curves and draw damage with them: the same asset has the same luck under every policy."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from twin.errors import DataError

Array = np.ndarray[Any, Any]

_COLUMNS = ("hazard", "asset", "state", "fails", "measure", "median", "beta", "source")


@dataclass(frozen=True)
class Curve:
    """One damage state: reached with probability Phi(ln(x / median) / beta) at an intensity x.

    Source: the lognormal fragility of FEMA, Hazus earthquake model technical manual, chapter on
    direct damage to utility systems.
    """

    state: str
    fails: bool
    median: float
    beta: float

    def chance(self, intensity: float) -> float:
        """Return the probability that the state is reached or passed."""
        if intensity <= 0.0:
            return 0.0
        return NormalDist().cdf(math.log(intensity / self.median) / self.beta)


Curves = Mapping[tuple[str, str], tuple[Curve, ...]]


def built_in() -> Path:
    """Return the path of the built-in curves."""
    from importlib.resources import files

    return Path(str(files("twin") / "scenarios" / "hazards" / "fragility.csv"))


def read_curves(path: str | Path) -> dict[tuple[str, str], tuple[Curve, ...]]:
    """Return the curves by hazard and asset, mildest state first.

    Raises DataError that names file, line and value: a column that lacks, a median or beta that is
    not above 0, `fails` other than 0 or 1, no source, or states whose medians fall.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            lacking = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as fragility curves ({error})") from None
    if lacking:
        raise DataError(f"{path}:1: column {', '.join(lacking)} is missing")
    found: dict[tuple[str, str], list[Curve]] = {}
    for line, row in enumerate(rows, 2):
        place = f"{path}:{line}"
        curve = _curve(place, row)
        states = found.setdefault((str(row["hazard"]), str(row["asset"])), [])
        if states and curve.median < states[-1].median:
            raise DataError(f"{place}: median ({curve.median:g}) must not be below that of {states[-1].state!r}")
        states.append(curve)
    return {key: tuple(states) for key, states in found.items()}


def _curve(place: str, row: Mapping[str, Any]) -> Curve:
    if not (row["source"] or "").strip():
        raise DataError(f"{place}: {row['hazard']} {row['asset']} {row['state']} names no source")
    if row["fails"] not in ("0", "1"):
        raise DataError(f"{place}: fails ({row['fails']!r}) must be 0 or 1")
    return Curve(str(row["state"]), row["fails"] == "1", _above(place, "median", row), _above(place, "beta", row))


def _above(place: str, column: str, row: Mapping[str, Any]) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise DataError(f"{place}: {column} ({row[column]!r}) must be a number above 0")
    return value


def failure_chance(curves: tuple[Curve, ...], intensity: float) -> float:
    """Return the probability of a state in which the asset fails."""
    return max((curve.chance(intensity) for curve in curves if curve.fails), default=0.0)


def of_several(chance: float, pieces: Array) -> Array:
    """Return the chance that any of several pieces in a row fails, each by itself; a line of poles."""
    return np.asarray(-np.expm1(np.asarray(pieces, dtype=np.float64) * np.log1p(-min(chance, 1.0 - 1e-15))))


def pipe_break_rate(velocity: float) -> float:
    """Return breaks per km of brittle pipe at a peak ground velocity (m/s).

    Source: FEMA Hazus earthquake technical manual, potable water pipelines: 0.0001 PGV^2.25 repairs
    per km, PGV in cm/s; a fifth of the repairs due to shaking are breaks, the rest leaks.
    """
    return float(0.2 * 1e-4 * (100.0 * velocity) ** 2.25)
