"""Dispatch that knows which ambulances are about to leave a hospital."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Option, Setup
from twin.models.emergency.calls import emergency_settings
from twin.models.emergency.tables import AT_HOSPITAL, SERVED
from twin.models.policies.dispatch import ClosestIdle, Settled, able_to, units_sent

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]

_MORE = ("call.bay", "call.closed")
_LONGEST, _UNREPORTED = 1.5, 30.0


class HospitalAware(ClosestIdle):
    """Let a call wait for an ambulance that hands over, when that one should be there clearly sooner.

    Expected is the mean handover less the time since a bay was free; an ambulance that still
    queues for a bay, or that takes half as long again as the mean, is not counted on. One whose call is closed
    counts for 30 s, until its own report should say that it is free. Of the calls decided at once only the first waits
    for the same ambulance.
    """

    name = "hospital_aware"
    sees = (*ClosestIdle.sees, *_MORE)
    requires = (*ClosestIdle.requires, *_MORE)
    options: ClassVar = (
        *ClosestIdle.options,
        Option("sooner", "time that waiting must be expected to save", "quantity", 60.0, "s", low=0),
    )
    source = (
        "free-ambulance exploitation, here before the ambulance is free: Lim, Mamat, Braunl, Impact of ambulance "
        "dispatch policies on performance of emergency medical services, IEEE Transactions on Intelligent "
        "Transportation Systems 12 (2011) 624-632"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Keep the mean handover."""
        super().setup(setup)
        self.handover = float(emergency_settings(setup.city)["handover"])
        self.sooner = float(setup.options["sooner"])
        return {}

    def choose_after(self, settled: Settled, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Return the closest unit, -1 when one at a hospital that no call waits for yet should be there sooner."""
        closest = int(np.argmin(reach))
        soonest, unit = self._from_hospital(observation, call, settled.kept)
        if soonest + self.sooner >= float(reach[closest]):
            return closest
        settled.kept.append(unit)
        return -1

    def _from_hospital(self, observation: Observation, call: int, kept: list[int]) -> tuple[float, int]:
        """Return in how many seconds an ambulance that hands over, or just has, could be on scene, and which.

        kept  units that are not to be counted on
        """
        stage, unit, bay = (observation[name] for name in ("call.stage", "call.unit", "call.bay"))
        gone = (observation.now - bay) / SECOND
        over = (observation.now - observation["call.closed"]) / SECOND
        inside = (stage == AT_HOSPITAL) & (bay >= 0) & (gone < _LONGEST * self.handover)
        leaving = (stage == SERVED) & (bay >= 0) & (over < _UNREPORTED) & ~np.isin(unit, units_sent(observation))
        leaving[leaving] &= ~observation["observed_unit.free"][unit[leaving]]
        others = np.flatnonzero(inside | leaving)
        others = others[able_to(observation, call, unit[others]) & observation["unit.duty"][unit[others]]]
        others = others[~np.isin(unit[others], kept)]
        if not others.size:
            return float("inf"), -1
        left = np.where(inside[others], np.maximum(self.handover - gone[others], 0.0), 0.0)
        times = self.times_to(observation, int(observation["call.node"][call]))
        until = left + times[observation["observed_unit.node"][unit[others]]]
        first = int(np.argmin(until))
        return float(until[first]), int(unit[others[first]])
