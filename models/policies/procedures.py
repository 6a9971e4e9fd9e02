"""Watch over procedures: a task that nobody of its role is free for goes up at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from twin.contract import SECOND, Command, Option, Policy
from twin.models.procedures.tables import TOLD

if TYPE_CHECKING:
    from twin.view import Observation


class WatchOfficer(Policy):
    """Escalate tasks that wait for a role of which every officer is busy, without waiting for the deadline."""

    name = "watch_officer"
    role = "procedures"
    sees = ("task.state", "task.role", "task.told", "task.officer", "officer.role", "officer.idle", "role.above")
    requires = sees
    commands = ("escalate",)
    every = 30 * SECOND
    options: ClassVar[tuple[Option, ...]] = (
        Option("least", "a task waits at least this long", "quantity", 15.0, "s", low=0),
    )
    source = "span of control and transfer of command: FEMA, National Incident Management System, 3rd ed. (2017)"

    def decide(self, observation: Observation) -> list[Command]:
        """Return orders for the tasks that nobody can take and that have a role above, the oldest first."""
        free = observation.agents("officer").select(lambda officer: officer.idle)
        staffed = {int(role) for role in free.get("role")}
        told, state = observation["task.told"], observation["task.state"]
        waits = (state == TOLD) & (observation["task.officer"] < 0)
        waits &= observation["role.above"][observation["task.role"]] >= 0
        old = waits & (observation.now - told >= float(observation.options["least"]) * SECOND)
        tasks = np.flatnonzero(old & ~np.isin(observation["task.role"], sorted(staffed)))
        return [Command("escalate", int(task)) for task in tasks[np.argsort(told[tasks], kind="stable")]]
