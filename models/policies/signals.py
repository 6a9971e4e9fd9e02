"""How traffic signals run: by their fixed plans, or by the vehicles that come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.contract import MINUTE, Command, Policy

if TYPE_CHECKING:
    from twin.view import Observation

_ACTUATED = 1


class FixedTime(Policy):
    """Leave every signal to its fixed plan."""

    name = "fixed_time"
    role = "signals"
    source = "plans of the city, Webster, Traffic Signal Settings, Road Research Technical Paper 39 (1958)"

    def decide(self, observation: Observation) -> list[Command]:
        """Order nothing."""
        return []


class Actuated(Policy):
    """Let every signal extend its greens while vehicles come."""

    name = "actuated"
    role = "signals"
    sees = ("signal.mode",)
    requires = ("signal.mode",)
    commands = ("signal_mode",)
    every = 5 * MINUTE
    source = "vehicle-actuated control with gap-out: Highway Capacity Manual, chapter on signalized intersections"

    def decide(self, observation: Observation) -> list[Command]:
        """Switch over the signals that do not run that way."""
        others = np.flatnonzero(observation["signal.mode"] != _ACTUATED)
        return [Command("signal_mode", row, float(_ACTUATED)) for row in others.tolist()]
