"""Send the closest idle unit; where none is left, one on its way to a less urgent call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Command
from twin.models.emergency.tables import DISPATCHED, WAITING
from twin.models.policies.dispatch import ClosestIdle, able_to

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]


class ClosestUpgrade(ClosestIdle):
    """Send the closest idle unit, else redirect the closest unit that the table of upgrades lets go."""

    name = "closest_upgrade"
    sees = (*ClosestIdle.sees, "desk.upgrade")
    requires = sees
    source = "redispatch of JEMSS: Ridler, Mason, Raith, European Journal of Operational Research 298 (2022)"

    def decide(self, observation: Observation) -> list[Command]:
        """Return orders of idle units, then of units taken from less urgent calls."""
        commands = super().decide(observation)
        given = [command.target for command in commands]
        waiting = np.setdiff1d(np.flatnonzero(observation["call.stage"] == WAITING), given)
        room = len(observation.agents("dispatcher").select(lambda person: person.idle)) - len(commands)
        left = np.flatnonzero(observation["call.stage"] == DISPATCHED)
        order = np.lexsort((observation["call.triaged"][waiting], observation["call.priority"][waiting]))
        for call in waiting[order].tolist():
            unit = self._redirected(observation, call, left) if room > 0 else -1
            if unit >= 0:
                commands.append(Command("dispatch", call, float(unit)))
                left = left[observation["call.unit"][left] != unit]
                room -= 1
        return commands

    def _redirected(self, observation: Observation, call: int, left: Array) -> int:
        """Return the closest able unit that may be taken from one of the calls `left`, -1 for none."""
        allowed = observation["desk.upgrade"][0][:, observation["call.priority"][call] - 1]
        units = observation["call.unit"][left[allowed[observation["call.priority"][left] - 1]]]
        units = units[able_to(observation, call, units)]
        if not units.shape[0]:
            return -1
        times = self.times_to(observation, int(observation["call.node"][call]))
        reach = times[observation["observed_unit.node"][units]]
        return int(units[np.argmin(reach)]) if np.isfinite(reach).any() else -1
