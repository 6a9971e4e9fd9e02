"""A scenario: one YAML file over its bases, checked as a whole, expanded into cases."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.contract import SECOND
from twin.errors import ScenarioError
from twin.registry import BUILT_IN, Registry
from twin.scenario import keys
from twin.scenario.arms import differences, grow
from twin.scenario.case import Case
from twin.scenario.cities import load_city_of, read_city
from twin.scenario.components import Cast, read_cast
from twin.scenario.events import read_events
from twin.scenario.examining import examine
from twin.scenario.judging import (
    Comparison,
    Expectation,
    kpis_of,
    read_comparison,
    read_expectations,
    read_seeds,
    read_stopping,
)
from twin.scenario.layers import embedded, layered, locate
from twin.scenario.problems import Mark, Problem, Problems, report
from twin.scenario.sweeps import check_distributions, drawn
from twin.scenario.tree import Node
from twin.scenario.values import read_checked, read_duration, read_time
from twin.units import parse_local

if TYPE_CHECKING:
    from twin.city import City
    from twin.stats.sequential import Stopping
    from twin.world import World

_NAME = re.compile(r"[a-z0-9_]+")
_MINUTE = 60_000_000
_CHECKED = 2000
_FIRST_START = parse_local("1900-01-01 00:00", "UTC")
_LAST_START = parse_local("2201-01-01 00:00", "UTC")
_MOST_RECORDS = 1_000_000
_EMPTY = Node({}, Mark(""))


@dataclass(frozen=True)
class _Expanded:
    """What a scenario says, as far as it can be read.

    cases  the first replication of each arm
    drawn  arms with values that are drawn for each replication
    """

    cases: tuple[Case, ...]
    comparison: Comparison
    expectations: tuple[Expectation, ...]
    drawn: frozenset[str] = frozenset()


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
        beside = [name for name in (f"{name_or_path}.yaml", f"{name_or_path}.yml") if Path(name).is_file()]
        if beside:
            text += f"; did you mean {beside[0]}, which is here?"
        then = f"twin check {beside[0]}" if beside else "twin new scenario.yaml"
        problems.add(Mark(str(name_or_path)), "E100", text, [*beside, *embedded()], str(name_or_path), then)
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
        given, stopping = self._given_seeds, self.stopping
        if given:
            return len(given)
        return stopping.first if stopping else int(self._plain("replications", 1))

    @property
    def stopping(self) -> Stopping | None:
        """When to stop adding replications, None where their number is fixed."""
        return read_stopping(self._tree, Problems())

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of what is compared; one name when nothing is."""
        return tuple(self._grown[0])

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the replications."""
        given = self._given_seeds
        return given or tuple(range(self.seed, self.seed + self.replications))

    @property
    def differences(self) -> Mapping[str, Mapping[str, str]]:
        """What tells each arm from the others: place in the scenario -> value as written."""
        return differences(self._grown[0])

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

    def cases(self, replications: int | None = None) -> list[Case]:
        """Return every run: arms x replications, arm by arm.

        replications  runs per arm instead of the scenario's; seeds go on after those it has
        Raises ScenarioError with all problems when there is an error.
        """
        expanded, problems = self._expanded
        if problems.has_errors:
            raise ScenarioError(report(problems.sorted(), warnings_too=False), tuple(problems.sorted()))
        numbers = range(self.replications if replications is None else replications)
        return [self._case(case, number) for case in expanded.cases for number in numbers]

    def world(self, arm: str = "", replication: int = 0) -> World:
        """Return one run, set up and not begun.

        arm          default the first
        replication  any number from 0, also beyond those of the scenario
        Raises ScenarioError as `cases` does, and for an arm the scenario lacks.
        """
        from twin.execution.run import assemble
        from twin.world import World

        wanted = arm or self.arms[0]
        found = [case for case in self.cases(1) if case.arm == wanted]
        if not found:
            raise ScenarioError(f"{self.name} has no arm {wanted!r}; it has {', '.join(self.arms)}")
        return World(assemble(self._case(found[0], replication), self._city))

    def draws(self, case: Case) -> Mapping[str, str]:
        """Return what was drawn for a case: place in the scenario -> value as written."""
        return drawn(self._grown[0][case.arm], case.seed)[1]

    @cached_property
    def _given_seeds(self) -> tuple[int, ...]:
        return read_seeds(self._tree, Problems())

    def seed_of(self, replication: int) -> int:
        """Return the seed of a replication, also of one beyond those the scenario has."""
        given = self._given_seeds
        if not given:
            return self.seed + replication
        return given[replication] if replication < len(given) else max(given) + 1 + replication - len(given)

    def _case(self, case: Case, replication: int) -> Case:
        """Return another replication of an arm, with the values drawn for it."""
        seed = self.seed_of(replication)
        if case.arm in self._expanded[0].drawn:
            problems = Problems()
            tree, _ = drawn(self._grown[0][case.arm], seed)
            found = self._expand(case.arm, tree, problems)[1]
            if problems.has_errors or found is None:
                raise ScenarioError(report(problems.sorted(), warnings_too=False), tuple(problems.sorted()))
            case = found
        return replace(case, replication=replication, seed=seed)

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
        trees, growing = self._grown
        problems.take(growing)
        casts, cases = {}, []
        open_arms = frozenset(arm for arm, tree in trees.items() if check_distributions(tree, Problems()))
        for arm, tree in trees.items():
            casts[arm], case = self._read_arm(arm, tree, arm in open_arms, problems)
            cases += [case] if case is not None else []
        self._check_unused(casts, problems)
        kpis = kpis_of({name: found for chosen in casts.values() for name, found in chosen.classes.items()})
        comparison = read_comparison(self._tree, list(casts), kpis, problems)
        expectations = read_expectations(self._tree, list(casts), kpis, problems)
        return _Expanded(tuple(cases), comparison, expectations, open_arms), problems

    @cached_property
    def _grown(self) -> tuple[dict[str, Node], Problems]:
        problems = Problems()
        return grow(self._tree, problems), problems

    def _read_arm(self, arm: str, tree: Node, is_open: bool, problems: Problems) -> tuple[Cast, Case | None]:
        """Read an arm; of one that draws values every replication, up to the first with an error."""
        if not is_open:
            return self._expand(arm, tree, problems)
        first: tuple[Cast, Case | None] | None = None
        for replication in range(max(1, min(self.replications, _CHECKED))):
            found = self._expand(arm, drawn(tree, self.seed_of(replication))[0], problems)
            first = first or found
            if problems.has_errors:
                break
        assert first is not None
        return first

    def _check_top(self, problems: Problems) -> None:
        keys.check_keys(self._tree, keys.TOP, "the scenario", problems)
        name = self._tree.get("scenario")
        if name is not None and name.is_scalar and not _NAME.fullmatch(name.word):
            problems.add(name.mark, "E120", f"scenario ({name.word}) takes a-z, 0-9 and _ only")
        elif name is not None and len(name.word) > keys.LONGEST_NAME:
            text = f"scenario names a folder: at most {keys.LONGEST_NAME} letters, not {len(name.word)}"
            problems.add(name.mark, "E123", text)
        seed = self._tree.get("seed")
        if seed is not None:
            read_checked(seed, keys.SEED, problems)
        read_stopping(self._tree, problems)
        read_seeds(self._tree, problems)

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
        _check_years(start, start_node, problems)
        duration = read_duration(duration_node, "duration", problems) if duration_node else None
        record = _read_record(tree, duration, problems)
        span = None if start is None or duration is None else (start, duration)
        events = read_events(tree, chosen, city, span, self._registry, problems)
        if city is not None and span is not None:
            examine(chosen, city, span, events, str(folder), problems)
        if spec is None or span is None or problems.has_errors:
            return chosen, None
        title = tree.get("title")
        case = Case(
            suite=self.name,
            arm=arm,
            replication=0,
            seed=self.seed_of(0),
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


def _check_years(start: int | None, node: Node | None, problems: Problems) -> None:
    """Note a start outside the years that the tables of results can hold (ns since 1970, in int64)."""
    if start is not None and node is not None and not _FIRST_START <= start <= _LAST_START:
        problems.add(node.mark, "E123", f"start ({node.word}) must lie in the years 1900 to 2200")


def _read_record(tree: Node, duration: int | None, problems: Problems) -> dict[str, Any]:
    record: dict[str, Any] = {"every": 5 * _MINUTE}
    node = tree.get("record")
    if node is None or not keys.check_keys(node, keys.RECORD, "record", problems):
        return record
    every, state = node.get("every"), node.get("state")
    if every is not None:
        record["every"] = read_duration(every, "every", problems, least=SECOND)
        if duration and record["every"] and duration // record["every"] > _MOST_RECORDS:
            text = f"every ({every.word}) makes {duration // record['every']:,} rows a run; at most {_MOST_RECORDS:,}"
            problems.add(every.mark, "E123", text)
    if state is not None and read_checked(state, keys.STATE, problems):
        record["state"] = True
    return record
