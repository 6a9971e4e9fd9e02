"""Rules of a service: compiled ones by name, others as objects that are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from twin.kernels.emergency_arrays import Case, State

Array = np.ndarray[Any, Any]

DISPATCH_RULES = ("nearest", "preference", "dmexclp")
MOVE_UP_RULES = ("home", "dmexclp", "priority_list", "compliance")


class Dispatcher(Protocol):
    """A rule of dispatch in Python."""

    def dispatch(self, desk: Desk) -> int:
        """Return the unit to send to `desk.call`, -1 to let the call wait."""


class Returner(Protocol):
    """A rule in Python of where a unit goes that has become free."""

    def station(self, desk: Desk) -> int:
        """Return the station `desk.unit` goes to."""


class Mover(Protocol):
    """A rule in Python that moves idle units when one is sent or becomes free."""

    def moves(self, desk: Desk) -> None:
        """Write the station of each idle unit that is to move into `desk.goal`."""


@dataclass(frozen=True)
class Rules:
    """How units are sent and placed.

    dispatch  nearest, preference, dmexclp, or a `Dispatcher`
    move_up   home, dmexclp, priority_list, compliance, or a `Returner` or a `Mover`
    preference    (n_zone, n_unit) units in the order they are tried (calls have `zone`); -1 ends a row
    station_list  stations in the order they are filled, several times for several units
    compliance    row k lists the k stations to hold with k idle units, k = 1 .. n_unit
    busy          share of time a unit is busy, for dmexclp
    within        s a unit may drive to cover a place, for dmexclp; by default the target of the
                  most urgent calls less their mean answer and mobilisation
    queue_limit   calls that may wait; more are transferred. None: no limit, 0: a loss system
    redispatch    use the region's table of upgrades
    log           keep the log of events
    """

    dispatch: str | Dispatcher = "nearest"
    move_up: str | Returner | Mover = "home"
    preference: Any = None
    station_list: Any = None
    compliance: Any = None
    busy: float = 0.5
    within: float | None = None
    queue_limit: int | None = None
    redispatch: bool = True
    log: bool = True


def _shown(values: Array) -> Array:
    """Return a view that refuses to be written."""
    view = values.view()
    view.flags.writeable = False
    return view


class Desk:
    """What a rule in Python is shown: views on the arrays of the run that cannot be written, but for `goal`.

    eta     (n_unit,)  us until each unit would be on the scene of `call`; `NEVER` (2**62)
            for those that cannot be sent. As the tables say, without noise
    status  (n_unit,)  as in `twin.kernels.emergency_arrays`, AT_STATION to RETURNING
    home, bound  (n_unit,)  station a unit belongs to, is at or bound for (-1: none)
    idle    (n_station,)  idle units at or bound for each station
    goal    (n_unit,)  written by a `Mover`
    case    the arrays that do not change: calls, times, targets
    """

    def __init__(self, case: Case, state: State) -> None:
        from twin.kernels import emergency_arrays as kernel

        self.case = case
        self.goal = state.goal
        self.eta, self.idle, self.reach = (_shown(part) for part in (state.eta, state.idle, state.reach))
        self.status, self.home, self.bound = (
            _shown(state.unit[:, column]) for column in (kernel.U_STATUS, kernel.U_HOME, kernel.U_STATION)
        )
        self.calls = _shown(state.call)
        self._clock = state.clock
        self._now, self._call, self._unit = kernel.NOW, kernel.Q_CALL, kernel.Q_UNIT

    @property
    def now(self) -> int:
        """The instant (us)."""
        return int(self._clock[self._now])

    @property
    def call(self) -> int:
        """The call that needs a unit."""
        return int(self._clock[self._call])

    @property
    def unit(self) -> int:
        """The unit that has become free."""
        return int(self._clock[self._unit])


class Nearest:
    """Send the unit soonest on scene: the compiled rule `nearest` in Python."""

    def dispatch(self, desk: Desk) -> int:
        """Return the unit of least eta."""
        return int(desk.eta.argmin())


class Preferred:
    """Send the first free unit of the zone's list: the compiled rule `preference` in Python."""

    def dispatch(self, desk: Desk) -> int:
        """Return the first unit of the list that may be sent."""
        from twin.kernels.emergency_arrays import ZONE

        order = desk.case.settings.preference[desk.case.demand.call[desk.call, ZONE]]
        open_to = [unit for unit in order.tolist() if unit >= 0 and desk.eta[unit] < 1 << 62]
        return open_to[0] if open_to else -1


class LeastMissed:
    """Send the unit whose absence costs least coverage: the compiled `dmexclp` in Python.

    Source: Jagtenberg, Bhulai, van der Mei, Health Care Manag. Sci. 20 (2017).
    """

    def dispatch(self, desk: Desk) -> int:
        """Return, of the idle units in time, the one of least loss; the nearest when none is."""
        from twin.kernels.emergency_arrays import ARRIVE, AT_STATION, PRIORITY, RETURNING

        rules, call = desk.case.settings, desk.case.demand.call[desk.call]
        left = rules.target[call[PRIORITY]] - (desk.now - call[ARRIVE])
        best: tuple[float, int, int] | None = None
        for unit, station in enumerate(desk.bound.tolist()):
            if desk.eta[unit] <= left and station >= 0 and desk.status[unit] in (AT_STATION, RETURNING):
                patterns = np.flatnonzero(rules.covered[station])
                loss = 0.0
                for pattern in patterns:
                    loss += rules.weight[pattern] * rules.gain[desk.reach[pattern] - 1]
                found = (loss, int(desk.eta[unit]), unit)
                best = found if best is None or found < best else best
        return best[2] if best else int(desk.eta.argmin())


class MostAdded:
    """Send a free unit where it adds most coverage: the compiled move-up `dmexclp` in Python.

    Source: Jagtenberg, Bhulai, van der Mei, Oper. Res. Health Care 4 (2015).
    """

    def station(self, desk: Desk) -> int:
        """Return the station of greatest marginal coverage."""
        rules = desk.case.settings
        gains = []
        for covered in rules.covered:
            added = 0.0
            for pattern in np.flatnonzero(covered):
                added += rules.weight[pattern] * rules.gain[desk.reach[pattern]]
            gains.append(added)
        return int(np.argmax(gains))


class FirstUnfilled:
    """Fill the stations of the list in its order: the compiled `priority_list` in Python."""

    def station(self, desk: Desk) -> int:
        """Return the first station with fewer idle units than places in the list so far."""
        listed = desk.case.settings.station_list.tolist()
        for slot, station in enumerate(listed):
            if desk.idle[station] < listed[: slot + 1].count(station):
                return int(station)
        return int(desk.home[desk.unit])
