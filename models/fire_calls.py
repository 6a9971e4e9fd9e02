"""Fires that call the emergency service: its dispatch sends engines, and the fire keeps them busy.

The alarm of a fire is a call of the emergency model. What becomes of its requests for units that pump
is published by it (`call.help`) and seen here a second later; `call.held` keeps such a unit on scene
until the fire is out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.emergency.tables import DISPATCHED, ON_SCENE, SERVED
from twin.models.fire_engines import COMING, OUT, WAITING
from twin.models.scenario_events import contributes

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

LAGS = ("call.help", "call.scenario", "call.fights", "desk.fires")


class CalledEngines:
    """Engines that the dispatch of the emergency model sends; part of the model of fires."""

    number: list[int]

    if TYPE_CHECKING:

        def arrive(self, view: View, row: int, event: int) -> None:
            """Open the hydrant of a fire; see Fire."""

        def enter(self, view: View, row: int, stage: int, cause: int) -> None:
            """Let a fire enter a stage; see Fire."""

    def has_service(self, view: View) -> bool:
        """Tell whether the emergency model of this run has units for fires."""
        return "call.help" in view and bool(view["desk.fires"][0])

    def call(self, view: View, row: int) -> None:
        """Raise the alarm."""
        view.put("fire.called", row, True)
        view.schedule("alarm", 0, data=self.number[row])

    def follow_calls(self, view: View) -> None:
        """See whom the dispatch has sent to each fire, and who is there."""
        for row in np.flatnonzero(view["fire.called"]).tolist():
            stage, calls = int(view["fire.stage"][row]), self._requests(view, row)
            if stage != OUT and contributes(view, "call.held"):
                view.add("call.held", calls, 1)
            if stage in (WAITING, COMING):
                self._await(view, row, calls)

    def let_go(self, view: View, row: int) -> None:
        """Let the engines of a fire leave."""
        if view["fire.called"][row] and contributes(view, "call.held"):
            view.add("call.held", self._requests(view, row), 0)

    def _requests(self, view: View, row: int) -> Array:
        return np.flatnonzero((view["call.scenario"] == self.number[row]) & view["call.fights"])

    def _await(self, view: View, row: int, calls: Array) -> None:
        """Look at the fire with the first engine on scene; note whether one is on its way."""
        state = view["call.help"][calls]
        if (state == ON_SCENE).any():
            view.schedule("engine_look", 1, data=row)
            return
        comes = COMING if ((state >= DISPATCHED) & (state < SERVED)).any() else WAITING
        if comes != view["fire.stage"][row]:
            self.enter(view, row, comes, max(view.cause("call.help", int(call)) for call in calls.tolist()))

    def look_at_fire(self, view: View, row: int) -> None:
        """Begin the work of the first engine on scene."""
        calls = self._requests(view, row)
        there = calls[view["call.help"][calls] == ON_SCENE]
        behind = [view.cause("call.help", int(call)) for call in there.tolist()]
        passed = (view.now - int(view["fire.began"][row])) / SECOND
        event = view.emit("engine_on_scene", -1, passed, row, behind)
        self.arrive(view, row, event)
        view.schedule("engine_look", 1, data=row, cause=event)
