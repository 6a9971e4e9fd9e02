"""A scenario: one YAML file over its bases, checked as a whole, expanded into cases."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import ScenarioError
from twin.registry import BUILT_IN, Registry
from twin.scenario.arms import differences, grow
from twin.scenario.case import Case
from twin.scenario.components import Cast
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
from twin.scenario.reading import Suite, check_top, check_unused, read_arm
from twin.scenario.sweeps import check_distributions, drawn
from twin.scenario.tree import Node

if TYPE_CHECKING:
    from twin.city import City
    from twin.stats.sequential import Stopping
    from twin.world import World

_CHECKED = 2000
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

    @property
    def _suite(self) -> Suite:
        return Suite(self.name, self.path.parent, self.seed_of(0), self._registry, self._city, self.plugins)

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
            found = read_arm(case.arm, tree, self._suite, problems)[1]
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
        check_top(self._tree, problems)
        trees, growing = self._grown
        problems.take(growing)
        casts, cases = {}, []
        open_arms = frozenset(arm for arm, tree in trees.items() if check_distributions(tree, Problems()))
        for arm, tree in trees.items():
            casts[arm], case = self._read_arm(arm, tree, arm in open_arms, problems)
            cases += [case] if case is not None else []
        check_unused(self._tree, casts, self._registry, problems)
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
            return read_arm(arm, tree, self._suite, problems)
        first: tuple[Cast, Case | None] | None = None
        for replication in range(max(1, min(self.replications, _CHECKED))):
            found = read_arm(arm, drawn(tree, self.seed_of(replication))[0], self._suite, problems)
            first = first or found
            if problems.has_errors:
                break
        assert first is not None
        return first

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
