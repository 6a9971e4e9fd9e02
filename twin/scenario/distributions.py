"""Distributions of a value over replications: read from a scenario, drawn by inverse transform.

A quantile of a keyed uniform number, so that a place has the same luck in every arm. Limits cut the
distribution off, they do not pile it up: u is drawn between the probabilities of the limits
(Devroye, Non-Uniform Random Variate Generation, Springer 1986, section II.2).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from twin.scenario import keys
from twin.scenario.problems import Problems
from twin.scenario.tree import Node

KINDS = {
    "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "normal": ("mean", "sd"),
    "lognormal": ("mean", "cv"),
}
"""Parameters that each distribution needs; normal and lognormal may have limits low and high."""

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*((?![eE][+-]?\d)[^\s\d].*?)?\s*")
_LEAST_SHARE = 1e-6
_LEAST_CV, _MOST_CV = 1e-6, 1e3
_STREAM = "scenario."


@dataclass(frozen=True)
class Distribution:
    """A checked distribution.

    given  parameter -> value in `unit`; cv is a share
    unit   as written, "" for a plain number
    """

    kind: str
    given: dict[str, float]
    unit: str

    def limits(self) -> tuple[float, float]:
        """Return the probabilities at which low and high cut it off."""
        return (
            self._probability(self.given["low"]) if "low" in self.given else 0.0,
            self._probability(self.given["high"]) if "high" in self.given else 1.0,
        )

    def quantile(self, share: float) -> float:
        """Return the value below which a share (0..1) of the cut-off distribution lies."""
        low, high = self.given.get("low", -math.inf), self.given.get("high", math.inf)
        if self.kind == "uniform":
            return low + share * (high - low)
        if self.kind == "triangular":
            return _triangular(share, low, self.given["mode"], high)
        first, last = self.limits()
        value = self._normal().inv_cdf(min(max(first + share * (last - first), 5e-324), 1 - 2**-53))
        return min(max(math.exp(value) if self.kind == "lognormal" else value, low), high)

    def _probability(self, value: float) -> float:
        if self.kind == "lognormal":
            return self._normal().cdf(math.log(value)) if value > 0 else 0.0
        return self._normal().cdf(value)

    def _normal(self) -> NormalDist:
        mean = self.given["mean"]
        if self.kind == "normal":
            return NormalDist(mean, self.given["sd"])
        variance = math.log1p(self.given["cv"] ** 2)
        return NormalDist(math.log(mean) - variance / 2, math.sqrt(variance))


def read(node: Node, place: str, problems: Problems) -> Distribution | None:
    """Return a distribution, None after noting everything wrong with it."""
    before = problems.noted
    what = f"the distribution of {place}"
    keys.check_keys(node, keys.DISTRIBUTION, what, problems)
    chosen = node.get("distribution")
    kind = "" if chosen is None else chosen.word
    if chosen is not None and kind not in KINDS and problems.noted == before:
        problems.add(chosen.mark, "E125", f"{kind!r} is not a distribution", KINDS, kind)
    if problems.noted > before:
        return None
    _check_names(node, kind, what, problems)
    entries = {key: entry for key, entry in node.items() if key != "distribution"}
    read = {key: read_quantity(entry, f"{key} of {what}", problems) for key, entry in entries.items()}
    if problems.noted > before:
        return None
    known = {key: value for key, value in read.items() if value is not None}
    units = {unit for key, (_, unit) in known.items() if key != "cv"}
    if len(units) > 1 or known.get("cv", (0, ""))[1]:
        told = f"{what} must be written in one unit; cv is a share without one"
        problems.add(node.mark, "E122", told)
        return None
    found = Distribution(kind, {key: float(value) for key, (value, _) in known.items()}, units.pop())
    wrong = _wrong(found)
    if wrong:
        problems.add(node.mark, "E123", f"{what}: {wrong}")
    return None if wrong else found


def read_quantity(node: Node, what: str, problems: Problems) -> tuple[float, str] | None:
    """Return a number and the unit written behind it, "" for none; None after noting a problem."""
    value: Any = node.value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
        return value, ""
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or math.isinf(float(found[1])):
        problems.add(node.mark, "E120", f"{what} must be a number, with one unit or none")
        return None
    return float(found[1]), found[2] or ""


def written(value: float, unit: str) -> str:
    """Write a value as a scenario would have it."""
    text = str(value) if isinstance(value, int) else f"{value:.12g}"
    return f"{text} {unit}" if unit else text


def draw(found: Distribution, seed: int, place: str) -> float:
    """Return the value of a place for the replication of a seed, to 12 digits."""
    from twin.random import uniform_one

    return float(f"{found.quantile(uniform_one(seed, _STREAM + place, 0)):.12g}")


def _check_names(node: Node, kind: str, what: str, problems: Problems) -> None:
    needed = KINDS[kind]
    allowed = needed if "low" in needed else (*needed, "low", "high")
    for key in node.value:
        if key != "distribution" and key not in allowed:
            problems.add(node.key_mark(key), "E110", f"{what} is {kind} and has no {key!r}", allowed, key)
    for key in needed:
        if node.get(key) is None:
            problems.add(node.mark, "E111", f"{what} is {kind} and needs {key}")


def _wrong(found: Distribution) -> str:
    """Return what is wrong with the parameters, or ""."""
    given = found.given
    low, high = given.get("low", -math.inf), given.get("high", math.inf)
    if not low < high:
        return f"low ({low:g}) must be less than high ({high:g})"
    if found.kind == "triangular" and not low <= given["mode"] <= high:
        return f"mode ({given['mode']:g}) must lie between low and high"
    for key in ("sd", "cv", *(("mean",) if found.kind == "lognormal" else ())):
        if key in given and given[key] <= 0:
            return f"{key} ({given[key]:g}) must be more than 0"
    if "cv" in given and not _LEAST_CV <= given["cv"] <= _MOST_CV:
        return f"cv ({given['cv']:g}) must lie between {_LEAST_CV:g} and {_MOST_CV:g}"
    if "mean" not in given:
        return ""
    first, last = found.limits()
    return "" if last - first >= _LEAST_SHARE else "nearly nothing of it lies between low and high"


def _triangular(share: float, low: float, mode: float, high: float) -> float:
    """Return a quantile of the triangular distribution (Devroye 1986, section II.2)."""
    below = (mode - low) / (high - low)
    if share < below:
        return low + math.sqrt(share * (high - low) * (mode - low))
    return high - math.sqrt((1 - share) * (high - low) * (high - mode))
