"""Which unit is sent to which call: closest idle, and DMEXCLP.

All rules of dispatch see only what is reported: travel times and unit positions as
observed, calls as triaged, and the desk's own lists of who was sent where and who is on
duty. Waiting calls are taken by priority, then by age, one for each idle dispatcher. Where
an order crosses another on its way the unit is not free any more; it fails, and the
call is decided again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Command, Option, Policy, Setup
from twin.models.emergency.belief import zone_times
from twin.models.emergency.calls import emergency_settings, target_times
from twin.models.emergency.tables import DISPATCHED, SERVED, WAITING
from twin.models.streets import build_streets, shortest_tree

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]

_SEES = (
    "call.stage",
    "call.node",
    "call.priority",
    "call.rung",
    "call.triaged",
    "call.unit",
    "call.need",
    "unit.can",
    "unit.duty",
    "dispatcher.idle",
    "observed_link.time",
    "observed_unit.node",
    "observed_unit.free",
)
_NOBODY = -1
_SHARE = Option("siren_share", "part of congestion expected to delay a unit with siren", default=0.5, low=0, high=1)

PREPARATION = Option("preparation", "expected time from order to departure", "quantity", 90.0, "s", low=0)


def units_sent(observation: Observation) -> Array:
    """Return the units that have a call on the desk's own list."""
    stage = observation["call.stage"]
    return np.asarray(observation["call.unit"][(stage >= DISPATCHED) & (stage < SERVED)])


def able_to(observation: Observation, call: int, units: Array) -> Array:
    """Tell which units have every capability that a call needs; (n,) of bool."""
    need = observation["call.need"][call]
    return np.asarray(observation["unit.can"][units] & need == need)


@dataclass(frozen=True)
class Settled:
    """What one decision has settled about the calls before the one at hand.

    sent  orders given, (call, unit)
    kept  units, not idle yet, that a call waits for
    """

    sent: list[tuple[int, int]] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)


class ClosestIdle(Policy):
    """Send the idle unit with the least expected travel time."""

    name = "closest_idle"
    role = "dispatch"
    sees: ClassVar[tuple[str, ...]] = _SEES
    requires: ClassVar[tuple[str, ...]] = _SEES
    commands = ("dispatch",)
    every = 30 * SECOND
    on = ("call_triaged", "unit_free", "dispatcher_free")
    options: ClassVar[tuple[Option, ...]] = (_SHARE,)
    source = "common practice; baseline of Jagtenberg, Bhulai, van der Mei (2017)"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the streets that travel times are estimated on."""
        self.streets = build_streets(setup.city)
        self.share = float(setup.options["siren_share"])
        return {}

    def decide(self, observation: Observation) -> list[Command]:
        """Give each waiting call a unit, the most urgent and then the oldest first."""
        waiting = np.flatnonzero(observation["call.stage"] == WAITING)
        if not waiting.shape[0]:
            return []
        units = self.idle_units(observation)
        dispatchers = len(observation.agents("dispatcher").select(lambda person: person.idle))
        order = np.lexsort((observation["call.triaged"][waiting], observation["call.priority"][waiting]))
        settled = Settled()
        for call in waiting[order].tolist():
            if len(settled.sent) == dispatchers or not units.shape[0]:
                break
            able = units[able_to(observation, call, units)]
            times = self.times_to(observation, int(observation["call.node"][call]))
            reach = times[observation["observed_unit.node"][able]]
            chosen = self.choose_after(settled, observation, call, able, reach) if np.isfinite(reach).any() else _NOBODY
            if chosen != _NOBODY:
                settled.sent.append((call, int(able[chosen])))
                units = units[units != able[chosen]]
        return [Command("dispatch", call, float(unit)) for call, unit in settled.sent]

    def idle_units(self, observation: Observation) -> Array:
        """Return the units on duty that report to be free and have no call on the desk's own list."""
        free = observation["observed_unit.free"] & observation["unit.duty"]
        free[units_sent(observation)] = False
        return np.flatnonzero(free)

    def choose_after(self, settled: Settled, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Choose as `choose` does, for rules that must know what this decision has settled before."""
        return self.choose(observation, call, units, reach)

    def choose(self, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Return which of the idle units to send, -1 to let the call wait; reach is the expected travel time (s)."""
        return int(np.argmin(reach))

    def times_to(self, observation: Observation, node: int) -> Array:
        """Return the expected seconds from every node to one; (n_node,)."""
        free = self.streets.free_time
        times = free + self.share * np.maximum(observation["observed_link.time"] - free, 0.0)
        return shortest_tree(self.streets, times, node, reverse=True).time


class Dmexclp(ClosestIdle):
    """Send, of the units that can be there in time, the one whose absence costs least coverage.

    As in the paper there is one target time for all calls, that of the most urgent.
    """

    name = "dmexclp"
    options = (
        _SHARE,
        PREPARATION,
        Option(
            "busy_fraction",
            "share of time a unit is busy; 0 takes the share of units on duty for such calls that report to be busy",
            default=0.0,
            low=0,
            high=1,
        ),
    )
    source = (
        "Jagtenberg, Bhulai, van der Mei, Dynamic ambulance dispatching: is the closest-idle policy always "
        "optimal?, Health Care Management Science 20 (2017) 517-531"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Compute which zones a unit at each node reaches in time at free speed."""
        super().setup(setup)
        zones = setup.city["zones"]
        self.target = float(target_times(setup.city)[0])
        self.demand = np.asarray(zones["population"], dtype=np.float64)
        self.busy = float(setup.options["busy_fraction"])
        self.preparation = float(setup.options["preparation"])
        before = float(np.mean(emergency_settings(setup.city)["call_taking"])) + self.preparation
        self.covered = zone_times(setup.city) <= self.target - before
        return {}

    def choose(self, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Return the unit of least coverage loss among those in time, the closest when none is.

        Sending the closest to a call that will be late anyway is a choice made here.
        """
        from twin.kernels.coverage import coverage_losses

        gone = (observation.now - int(observation["call.rung"][call])) / SECOND
        in_time = reach + self.preparation + gone <= self.target
        peers = np.flatnonzero(observation["unit.duty"])
        free = observation["observed_unit.free"][peers[able_to(observation, call, peers)]]
        busy = self.busy or float(np.clip(1.0 - free.mean(), 0.05, 0.95))
        loss = np.empty(units.shape[0])
        node = np.asarray(observation["observed_unit.node"][units], dtype=np.int64)
        coverage_losses(self.covered, self.demand, node, busy, loss)
        return int(np.lexsort((reach, np.where(in_time, loss, np.inf)))[0])
