"""Contracts of the parts a twin is made of: models, policies, feeds, recorders.

A component declares what it owns and reads, keeps constants on `self` (set in
`setup`) and everything that changes in Fields. The engine calls it; it never
calls the engine except through the View it is handed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.fields import Field

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import Observation, View

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
NEVER = 2**62

EVENT, OBSERVE, DECIDE, RECORD = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Option:
    """A value a scenario may set.

    kind     "number", "integer", "text", "flag", "quantity" (number with unit), "choice" or "path"
    unit     SI unit a quantity is converted to
    default  None means required
    parameter  city parameter (`hazard.road_closed_depth`) that comes before the default
    """

    name: str
    meaning: str
    kind: str = "number"
    default: Any = None
    unit: str = "1"
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    parameter: str = ""

    def given_by(self, city: City | None) -> Any:
        """Return the city's value of the parameter, None when it gives none."""
        group, _, name = self.parameter.partition(".")
        given = city.parameters.get(group) if city is not None and name else None
        return given.get(name) if isinstance(given, Mapping) else None


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event a component handles.

    target    city table whose rows it acts on ("" for the whole city); of several (`sites|pumps`) the one that
              `data` numbers
    params    options a scenario may give with it
    scenario  True when a scenario file may contain it
    quiet     True for a timer that is not worth a line in the event log
    unit      unit of its value, or what it counts
    row       what its value numbers: a table that it is a row of, or a scale such as `priority`
    """

    name: str
    meaning: str
    target: str = ""
    params: tuple[Option, ...] = ()
    scenario: bool = False
    quiet: bool = False
    unit: str = "1"
    row: str = ""

    def table(self, data: int) -> str:
        """Return the table that the target of an event of this kind with this `data` is a row of, "" for none."""
        tables = self.target.split("|")
        if len(tables) == 1:
            return self.target
        return tables[data] if 0 <= data < len(tables) else ""


def kinds_planned(kinds: Mapping[str, EventKind]) -> set[str]:
    """Return the names of those kinds of event that a scenario may plan."""
    return {name for name, kind in kinds.items() if kind.scenario}


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure a run is judged by; direction "lower" or "higher" is better."""

    name: str
    unit: str
    direction: str
    meaning: str
    margin: float


@dataclass(frozen=True, slots=True)
class Resource:
    """Servers that staged work queues for, one simpy resource per row.

    table     table whose rows have servers
    capacity  column of the city table, or attribute of the model, with their number
    """

    name: str
    table: str
    capacity: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens: kind, what it acts on, and why.

    time    us since the start of the run
    target  row of the table the kind names, -1 for none
    value   a number in the unit the kind states
    data    a second integer (row, count or scenario event)
    id      permanent number in the event log; of a quiet event, that of its cause
    params  options the scenario gave, empty for events of the run itself
    """

    kind: str
    time: int
    target: int
    value: float
    data: int
    id: int
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """What a policy orders; it acts after the communication delay."""

    kind: str
    target: int = -1
    value: float = 0.0
    data: int = -1


@dataclass(frozen=True, slots=True)
class Delay:
    """Step result: go on after `time` us, at step `then` (default: the next)."""

    time: int
    then: str = ""


@dataclass(frozen=True, slots=True)
class Acquire:
    """Step result: queue for a server; lower priority is served first.

    patience   us after which the job gives up and goes to step `otherwise`
    """

    resource: str
    row: int
    priority: int = 0
    then: str = ""
    patience: int = NEVER
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Park:
    """Step result: wait until somebody resumes the job, at step `then`."""

    then: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """Step result: the procedure has ended; its row is freed."""


StepResult = Delay | Acquire | Park | Done


@dataclass(frozen=True)
class Setup:
    """What a component may look at while it builds its constants.

    city      frozen tables and parameters
    options   this component's options, SI units, defaults filled in
    seed      seed of the run
    start     local wall-clock start of the run as UTC us since 1970
    duration  us
    events    scenario events, resolved: kind, time, targets, params
    folder    folder of the scenario file, for data files it names
    policies  role -> policy name of this run
    measure_every  us between measurements of the series
    command_delay  us between an order and its effect
    kinds     name -> kind of event that some component of the run acts on
    """

    city: City
    options: Mapping[str, Any]
    seed: int
    start: int
    duration: int
    events: Sequence[Any] = ()
    folder: str = "."
    policies: Mapping[str, str] = field(default_factory=dict)
    measure_every: int = 5 * MINUTE
    command_delay: int = 2 * SECOND
    kinds: Mapping[str, EventKind] = field(default_factory=dict)

    def local_hour(self, time: int = 0) -> float:
        """Return the local hour of day (0..24) at `time` us after the start."""
        from datetime import UTC, datetime
        from zoneinfo import ZoneInfo

        instant = datetime.fromtimestamp((self.start + time) / 1e6, UTC).astimezone(ZoneInfo(self.city.timezone))
        return instant.hour + instant.minute / 60 + (instant.second + instant.microsecond / 1e6) / 3600

    def uniform(self, stream: str, entities: Any, draw: int = 0) -> np.ndarray[Any, Any]:
        """Return one keyed uniform number in (0, 1) per entity."""
        from twin.random import uniform

        return uniform(self.seed, stream, entities, draw)


class Component:
    """Common declarations of models, feeds, policies and recorders.

    events         kinds of events it acts on
    tells          kinds of events it only logs
    requires       fields (`link.time`) some component must own, and tables (`links`) the city must have
    parameters     city parameters (`demand.profile`) that it cannot do without
    city_defaults  group of city parameters -> parameter -> what is taken when the city does not give it
    waits_for      role of policies -> what nobody does in a run where no policy has it
    """

    name: ClassVar[str] = ""
    owns: ClassVar[tuple[Field, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    adds: ClassVar[tuple[str, ...]] = ()
    lags: ClassVar[tuple[str, ...]] = ()
    events: ClassVar[tuple[EventKind, ...]] = ()
    tells: ClassVar[tuple[EventKind, ...]] = ()
    listens: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    parameters: ClassVar[tuple[str, ...]] = ()
    city_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    waits_for: ClassVar[Mapping[str, str]] = {}

    def examine(self, setup: Setup) -> list[str]:
        """Return what is wrong with the files that options name, each with its place; `twin check` tells it."""
        return []

    def doubt(self, setup: Setup) -> list[str]:
        """Return what of the scenario will have no answer in this city; `twin check` warns of it."""
        return []

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build constants; return the rows of each table that is not a city table."""
        return {}

    def start(self, view: View) -> None:
        """Write initial state and schedule the first events."""

    def on_event(self, view: View, event: Event) -> None:
        """Act on an event of a kind this component declares or listens to."""


class Model(Component):
    """A domain of the city.

    procedures  name -> step names; step `s` of procedure `p` is the method `p_s(view, job)`
    resources   servers its procedures queue for
    deciders    tables whose rows are people who decide (mesa handles)
    kpi_list    figures returned by `kpis`
    series      figures returned by `measure` every recording interval
    """

    procedures: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    resources: ClassVar[tuple[Resource, ...]] = ()
    deciders: ClassVar[tuple[str, ...]] = ()
    kpi_list: ClassVar[tuple[Kpi, ...]] = ()
    series: ClassVar[tuple[Kpi, ...]] = ()

    def advance(self, view: View, until: int) -> None:
        """Run a kernel's own calendar strictly before `until` (us)."""

    def step(self, view: View) -> None:
        """Solve again because something this model reads has changed."""

    def carry(self, view: View, table: str, row: int) -> int:
        """Return how much longer (us) an order to a row of a city table takes than the communication delay.

        The view acts for the order; `view.because` names what holds it up.
        """
        return 0

    def kpis(self, view: View) -> dict[str, float]:
        """Return the figures of `kpi_list` for the run so far."""
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Return the figures of `series` now."""
        return {}

    def tables(self, view: View) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
        """Return final tables for results: `folder/name` -> column -> one value per row.

        A bare name `links` is written to links/links.parquet. An int64 column called `time`, or
        `..._time`, holds us since the start (-1 never) and gets UTC and local columns beside it.
        """
        return {}

    def check(self, view: View) -> list[str]:
        """Return broken invariants (conservation, no lost call), empty when all hold."""
        return []


class Policy(Component):
    """A rule of the command centre: observations in, commands out.

    role      what it decides about: "dispatch", "signals", "restoration" ...
    sees      observed or observable fields
    commands  kinds of event it may order
    every     us between decisions, NEVER for none
    on        kinds of event after which it decides at once
    source    paper or manual the rule comes from
    """

    role: ClassVar[str] = ""
    sees: ClassVar[tuple[str, ...]] = ()
    commands: ClassVar[tuple[str, ...]] = ()
    every: ClassVar[int] = NEVER
    on: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str] = ""

    def decide(self, observation: Observation) -> list[Command]:
        """Return commands for what is seen now."""
        raise TypeError(f"policy {self.name!r} must define decide(observation)")


class Feed(Model):
    """Sensor data in, observations out: event time, arrival time, latency, faults."""
