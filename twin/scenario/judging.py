"""Read how runs are judged: margins of comparisons, and figures that are expected."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from twin import units
from twin.contract import Component, Kpi, Model, Option
from twin.scenario import keys
from twin.scenario.problems import Problems
from twin.scenario.tree import Node
from twin.scenario.values import note, read_checked, read_names, read_value
from twin.stats.sequential import Stopping

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
MOST_SEEDS = 10_000
"""Most seeds a scenario may list."""

_EXPECTATION = re.compile(r"(?:([A-Za-z0-9_]+)\.)?([A-Za-z0-9_]+)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Comparison:
    """How arms are compared.

    baseline    arm the others are held against, "" when there is one arm only
    margins     kpi -> difference that does not matter, in the unit of the kpi
    confidence  level of the intervals
    judged      kpis that are judged together: those the scenario names, else all that have a margin
    directions  kpi -> "lower" or "higher" is better, where the scenario says other than the model
    """

    baseline: str
    margins: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.95
    judged: tuple[str, ...] = ()
    directions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expectation:
    """A figure that the mean over the replications of an arm must show.

    arm    "" for every arm
    label  "file:line" where it is written
    """

    arm: str
    kpi: str
    op: str
    value: float
    label: str

    def holds(self, figure: float) -> bool:
        """Tell whether a figure meets the expectation; a figure that is not a number never does."""
        return not math.isnan(figure) and _OPERATORS[self.op](figure, self.value)

    def __str__(self) -> str:
        prefix = f"{self.arm}." if self.arm else ""
        return f"{prefix}{self.kpi} {self.op} {self.value:g}"


def kpis_of(classes: Mapping[str, type[Component]]) -> dict[str, Kpi]:
    """Return the figures that the models of a run give, by name."""
    models = [found for found in classes.values() if issubclass(found, Model)]
    return {kpi.name: kpi for found in models for kpi in found.kpi_list}


def read_comparison(tree: Node, arms: list[str], kpis: Mapping[str, Kpi], problems: Problems) -> Comparison:
    """Return how arms are compared; margins not given are those of the kpis."""
    margins = {name: kpi.margin for name, kpi in kpis.items()}
    judged = tuple(name for name, margin in margins.items() if margin > 0)
    default = Comparison(arms[0] if len(arms) > 1 else "", margins, judged=judged)
    node = tree.get("compare")
    if node is None or not keys.check_keys(node, keys.COMPARE, "compare", problems):
        return default
    baseline, chosen, level = node.get("baseline"), node.get("kpis"), node.get("confidence")
    if baseline is not None and baseline.is_scalar and baseline.value not in arms:
        problems.add(baseline.mark, "E150", f"no arm is named {baseline.value!r}", arms, str(baseline.value))
    confidence = read_checked(level, keys.CONFIDENCE, problems) if level else default.confidence
    directions: dict[str, str] = {}
    if chosen is not None and chosen.is_mapping:
        named, directions = _overrides(chosen, kpis, problems)
        margins |= {name: margin for name, margin in named.items() if margin is not None}
        judged = tuple(named) or judged
    return Comparison(str(baseline.value) if baseline else default.baseline, margins, confidence, judged, directions)


def read_stopping(tree: Node, problems: Problems) -> Stopping | None:
    """Return the rule that finds the number of replications, None for a number that is fixed."""
    node = tree.get("replications")
    if node is None:
        return None
    if not node.is_mapping:
        read_value(node, keys.REPLICATIONS, problems)
        return None
    found = Problems()
    keys.check_keys(node, keys.STAGES, "replications", found)
    first, cap = (
        read_checked(entry, option, found) if (entry := node.get(option.name)) else option.default
        for option in (keys.FIRST, keys.CAP)
    )
    if not found.has_errors and cap < first:
        found.add(node.key_mark("cap"), "E123", f"cap ({cap}) must be at least first ({first})")
    problems.take(found)
    return None if found.has_errors else Stopping(first, cap)


def read_seeds(tree: Node, problems: Problems) -> tuple[int, ...]:
    """Return the seeds a scenario lists, none when it counts them from one seed."""
    node = tree.get("seeds")
    if node is None or not node.is_list:
        return ()
    found = Problems()
    for other in ("seed", "replications"):
        if tree.get(other) is not None:
            found.add(tree.key_mark(other), "E160", f"{other} has no meaning beside seeds; give one of them")
    if not 1 <= len(node.value) <= MOST_SEEDS:
        found.add(node.mark, "E161", f"seeds takes 1 to {MOST_SEEDS} numbers, not {len(node.value)}")
    seeds: dict[int, None] = {}
    for entry in node.value[:MOST_SEEDS]:
        seed = read_value(entry, keys.SEED, found)
        if seed in seeds:
            found.add(entry.mark, "E160", f"seed {seed} stands twice: the same run would count twice")
        seeds[seed] = None
    problems.take(found)
    return () if found.has_errors else tuple(seeds)


def read_expectations(
    tree: Node, arms: list[str], kpis: Mapping[str, Kpi], problems: Problems
) -> tuple[Expectation, ...]:
    """Return the expectations that can be read."""
    node = tree.get("expect")
    if node is None:
        return ()
    found = [_expectation(entry, arms, kpis, problems) for entry in read_names(node, "expect", problems)]
    return tuple(one for one in found if one is not None)


def _overrides(
    node: Node, kpis: Mapping[str, Kpi], problems: Problems
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the margin of each kpi that is named, None for the model's own, and the directions given."""
    margins: dict[str, float | None] = {}
    directions: dict[str, str] = {}
    for name, entry in node.items():
        if name not in kpis:
            problems.add(node.key_mark(name), "E150", f"no kpi is named {name!r}", kpis, name)
        elif keys.check_keys(entry, keys.KPI, f"kpi {name}", problems):
            margin, direction = entry.get("margin"), entry.get("direction")
            if margin is None and direction is None:
                problems.add(entry.mark, "E111", f"kpi {name} needs margin or direction: {keys.KPI[0].meaning}")
            option = Option("margin", "difference that does not matter", "quantity", unit=kpis[name].unit, low=0)
            margins[name] = read_checked(margin, option, problems) if margin else None
            if direction and (better := read_checked(direction, keys.DIRECTION, problems)):
                directions[name] = better
    return margins, directions


def _expectation(entry: Node, arms: list[str], kpis: Mapping[str, Kpi], problems: Problems) -> Expectation | None:
    parts = _EXPECTATION.fullmatch(str(entry.value).strip())
    if parts is None:
        text = f"{entry.value!r} is not an expectation: write 'kpi < value' or 'arm.kpi < value'"
        problems.add(entry.mark, "E150", text, _OPERATORS)
        return None
    arm, kpi, op, value = parts.groups()
    if arm and arm not in arms:
        problems.add(entry.mark, "E150", f"no arm is named {arm!r}", arms, arm)
        return None
    if kpi not in kpis:
        problems.add(entry.mark, "E150", f"no kpi is named {kpi!r}", kpis, kpi)
        return None
    try:
        number = units.parse(value, kpis[kpi].unit)
    except units.QuantityError as error:
        note(entry.mark, f"{kpi}: {error}", error, problems)
        return None
    return Expectation(arm or "", kpi, op, number, entry.mark.label)
