"""A scenario: one YAML file over its bases, checked as a whole, expanded into cases."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import ScenarioError
from twin.registry import BUILT_IN, Registry
from twin.scenario import keys
from twin.scenario.case import Case
from twin.scenario.cities import load_city_of, read_city
from twin.scenario.components import Cast, read_cast
from twin.scenario.events import read_events
from twin.scenario.judging import (
    Comparison,
    Expectation,
    kpis_of,
    read_comparison,
    read_expectations,
    read_stopping,
)
from twin.scenario.layers import embedded, layered, locate, merge
from twin.scenario.problems import Mark, Problem, Problems, report
from twin.scenario.tree import Node
from twin.scenario.values import read_checked, read_duration, read_time

if TYPE_CHECKING:
    from twin.city import City
    from twin.stats.sequential import Stopping
    from twin.world import World

ONE_ARM = "base"
"""Name of the only arm of a scenario that compares nothing."""

_NAME = re.compile(r"[a-z0-9_]+")
_ARM = re.compile(r"[A-Za-z0-9_]+")
_MINUTE = 60_000_000
_EMPTY = Node({}, Mark(""))


@dataclass(frozen=True)
class _Expanded:
    """What a scenario says, as far as it can be read."""

    cases: tuple[Case, ...]
    comparison: Comparison
    expectations: tuple[Expectation, ...]


def load(name_or_path: str | Path, plugins: Iterable[str | Path] = (), registry: Registry = BUILT_IN) -> Scenario:
    """Load a scenario file or an embedded scenario by name.

    plugins   Python files whose components it may name; nothing else runs code
    registry  where components are found
    Raises ScenarioError when there is no such file; all other problems wait for `check`.
    """
    found = locate(name_or_path)
    if found is None:
        problems = Problems()
        text = f"no scenario {str(name_or_path)!r}: neither a file nor an embedded name"
        problems.add(Mark(str(name_or_path)), "E100", text, embedded(), str(name_or_path), "twin new scenario.yaml")
        raise ScenarioError(report(problems), tuple(problems))
    paths = tuple(str(Path(plugin).resolve()) for plugin in plugins)
    for plugin in paths:
        registry.use_plugin(plugin)
    return Scenario(found, paths, registry)


class Scenario:
    """A scenario file, its bases, and everything wrong with them.

    path     file it was loaded from
    plugins  Python files the user named
    """

    def __init__(self, path: Path, plugins: tuple[str, ...] = (), registry: Registry = BUILT_IN) -> None:
        self.path = path
        self.plugins = plugins
        self._registry = registry
        self._reading = Problems()
        self._tree = layered(path, self._reading) or _EMPTY
        self._city: City | None = None

    @property
    def name(self) -> str:
        """Name of the suite; the file's name when none is given."""
        return str(self._plain("scenario", self.path.stem))

    @property
    def title(self) -> str:
        """One line for people."""
        return str(self._plain("title", self.name))

    @property
    def seed(self) -> int:
        """Seed of the first replication."""
        return int(self._plain("seed", 1))

    @property
    def replications(self) -> int:
        """Runs per arm; of the first stage where their number follows from what they show."""
        stopping = self.stopping
        return stopping.first if stopping else int(self._plain("replications", 1))

    @property
    def stopping(self) -> Stopping | None:
        """When to stop adding replications, None where their number is fixed."""
        return read_stopping(self._tree, Problems())

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of what is compared; one name when nothing is."""
        node = self._tree.get("arms")
        named = tuple(node.value) if node is not None and node.is_mapping else ()
        return named or (ONE_ARM,)

    @property
    def city_spec(self) -> Mapping[str, Any]:
        """Which city, as written."""
        found = self._plain("city", {})
        return found if isinstance(found, dict) else {}

    @property
    def comparison(self) -> Comparison:
        """How arms are compared."""
        return self._expanded[0].comparison

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """Figures the runs must show."""
        return self._expanded[0].expectations

    def check(self, city: City | None = None) -> list[Problem]:
        """Return every problem at once, errors and warnings, by file and line.

        city  stands in for the city the scenario names
        """
        if city is not None:
            self._city = city
            self.__dict__.pop("_expanded", None)
        return self._expanded[1].sorted()

    def cases(self) -> list[Case]:
        """Return every run: arms x replications, arm by arm.

        Raises ScenarioError with all problems when there is an error.
        """
        expanded, problems = self._expanded
        if problems.has_errors:
            raise ScenarioError(report(problems.sorted()), tuple(problems.sorted()))
        seeds = range(self.replications)
        return [replace(case, replication=i, seed=self.seed + i) for case in expanded.cases for i in seeds]

    def world(self, arm: str = "", replication: int = 0) -> World:
        """Return one run, set up and not begun.

        arm          default the first
        replication  its seed is that of the scenario plus this number
        Raises ScenarioError as `cases` does, and for an arm the scenario lacks.
        """
        from twin.run import assemble
        from twin.world import World

        wanted = arm or self.arms[0]
        found = [case for case in self.cases() if case.arm == wanted]
        if not found:
            raise ScenarioError(f"{self.name} has no arm {wanted!r}; it has {', '.join(self.arms)}")
        case = replace(found[0], replication=replication, seed=self.seed + replication)
        return World(assemble(case, self._city))

    def resolved(self) -> dict[str, Any]:
        """Return the scenario with its bases laid under it, as plain values."""
        defaults = {"seed": 1, "replications": 1}
        found: dict[str, Any] = {**defaults, **self._tree.plain()}
        return found

    def _plain(self, key: str, default: Any) -> Any:
        node = self._tree.get(key)
        if node is None or isinstance(node.plain(), type(default)) is False:
            return default
        return node.plain()

    @cached_property
    def _expanded(self) -> tuple[_Expanded, Problems]:
        problems = Problems()
        problems.take(self._reading)
        if self._tree is _EMPTY:
            return _Expanded((), Comparison(""), ()), problems
        self._check_top(problems)
        casts, cases = {}, []
        for arm, tree in self._arm_trees(problems).items():
            casts[arm], case = self._expand(arm, tree, problems)
            cases += [case] if case is not None else []
        self._check_unused(casts, problems)
        kpis = kpis_of({name: found for chosen in casts.values() for name, found in chosen.classes.items()})
        comparison = read_comparison(self._tree, list(casts), kpis, problems)
        expectations = read_expectations(self._tree, list(casts), kpis, problems)
        return _Expanded(tuple(cases), comparison, expectations), problems

    def _check_top(self, problems: Problems) -> None:
        keys.check_keys(self._tree, keys.TOP, "the scenario", problems)
        name = self._tree.get("scenario")
        if name is not None and not _NAME.fullmatch(str(name.value)):
            problems.add(name.mark, "E120", f"scenario ({name.value}) takes a-z, 0-9 and _ only")
        seed = self._tree.get("seed")
        if seed is not None:
            read_checked(seed, keys.SEED, problems)
        read_stopping(self._tree, problems)

    def _arm_trees(self, problems: Problems) -> dict[str, Node]:
        """Return the scenario as each arm changes it."""
        shared = Node(
            {key: node for key, node in self._tree.value.items() if key != "arms"}, self._tree.mark, self._tree.keys
        )
        arms = self._tree.get("arms")
        if arms is None or not arms.is_mapping or not arms.value:
            return {ONE_ARM: shared}
        allowed = [replace(key, required=False) for key in keys.TOP if key.in_arm]
        trees = {}
        for name, delta in arms.value.items():
            if not _ARM.fullmatch(name):
                problems.add(arms.key_mark(name), "E120", f"arm ({name}) takes letters, digits and _ only")
            if delta.value is None or keys.check_keys(delta, allowed, f"arm {name}", problems):
                trees[name] = merge(shared, _EMPTY if delta.value is None else delta)
        return trees

    def _expand(self, arm: str, tree: Node, problems: Problems) -> tuple[Cast, Case | None]:
        """Read one arm; its case lacks only the replication."""
        folder = self.path.parent
        node = tree.get("city")
        spec = read_city(node, folder, problems) if node is not None else None
        city = self._city
        if city is None and node is not None and spec is not None:
            city = load_city_of(spec, str(folder), node.mark, problems)
        chosen = read_cast(tree, city, self._registry, folder, problems)
        zone = "UTC" if city is None else city.timezone
        start_node, duration_node = tree.get("start"), tree.get("duration")
        start = read_time(start_node, "start", zone, problems) if start_node else None
        duration = read_duration(duration_node, "duration", problems) if duration_node else None
        record = _read_record(tree, problems)
        span = None if start is None or duration is None else (start, duration)
        events = read_events(tree, chosen, city, span, self._registry, problems)
        if city is None or spec is None or span is None:
            return chosen, None
        title = tree.get("title")
        case = Case(
            suite=self.name,
            arm=arm,
            replication=0,
            seed=self.seed,
            city_spec=spec,
            start=span[0],
            duration=span[1],
            models=tuple(chosen.models),
            feeds=tuple((name, chosen.options[name]) for name in chosen.feeds),
            policies=chosen.policies,
            options=chosen.options,
            events=events,
            record=record,
            folder=str(folder),
            files=tuple(sorted(chosen.files)),
            plugins=self.plugins,
            title=str(title.value) if title else self.name,
        )
        return chosen, case

    def _check_unused(self, casts: Mapping[str, Cast], problems: Problems) -> None:
        node = self._tree.get("options")
        used = {name for chosen in casts.values() for name in chosen.classes}
        for name, _ in node.items() if node is not None and node.is_mapping else ():
            known = any(name in self._registry.all(kind) for kind in ("model", "policy", "feed"))
            if known and name not in used and node is not None:
                problems.add(
                    node.key_mark(name), "W202", f"options of {name} have no effect: it is not part of any run"
                )

    def __repr__(self) -> str:
        return f"Scenario({self.name}: {len(self.arms)} arms x {self.replications} replications, {self.path.name})"

    def _repr_html_(self) -> str:
        problems = self.check()
        errors = sum(problem.is_error for problem in problems)
        facts = {
            "scenario": self.name,
            "title": self.title,
            "city": ", ".join(f"{key} {value}" for key, value in self.city_spec.items()),
            "start": self._plain("start", ""),
            "duration": self._plain("duration", ""),
            "arms": ", ".join(self.arms),
            "replications": self.replications,
            "problems": f"{errors} errors, {len(problems) - errors} warnings",
        }
        rows = "".join(
            f"<tr><th style='text-align:left'>{key}</th><td>{html.escape(str(value))}</td></tr>"
            for key, value in facts.items()
        )
        return f"<table>{rows}</table>"


def _read_record(tree: Node, problems: Problems) -> dict[str, Any]:
    record: dict[str, Any] = {"every": 5 * _MINUTE, "traversals": False}
    node = tree.get("record")
    if node is None or not keys.check_keys(node, keys.RECORD, "record", problems):
        return record
    every, traversals = node.get("every"), node.get("traversals")
    if every is not None:
        record["every"] = read_duration(every, "every", problems)
    if traversals is not None:
        record["traversals"] = read_checked(traversals, keys.TRAVERSALS, problems)
    return record
