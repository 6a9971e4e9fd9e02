"""The call centre: a call from the ring to triage, over one desk or several, and its staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Acquire, Delay, Done, StepResult
from twin.models.emergency import desk
from twin.models.emergency.incidents import CASUALTY, COMPANION, RINGS, Requests
from twin.models.emergency.service_kinds import bits
from twin.models.emergency.tables import (
    ABANDONED,
    CLOSED_HANDED_ON,
    CLOSED_HUNG_UP,
    RINGING,
    SERVED,
    TALKING,
    TRANSFERRED,
    WAITING,
)

if TYPE_CHECKING:
    from twin.models.emergency.calls import CallList
    from twin.models.emergency.duty import Absences
    from twin.procedure import Job
    from twin.view import View

Array = np.ndarray[Any, Any]

PATIENT = bits("treat+advanced")
"""What a request for a patient needs of a unit."""


class CallSteps:
    """Steps of a call and of an absence of a call-taker; part of the emergency model."""

    calls: CallList
    requests: Requests
    several: Array
    absences: Absences
    transfer: int
    worsens: int

    def call_answer(self, view: View, job: Job) -> StepResult:
        """Ring until a call-taker is free; hang up when patience ends."""
        desk.record(view, job.entity, RINGING, view.cause_id, rung=view.now)
        return Acquire("call_taker", 0, then="talk", patience=self._patience(job), otherwise="hung_up")

    def _patience(self, job: Job) -> int:
        return int(self.calls.patience[job.entity])

    def call_talk(self, view: View, job: Job) -> StepResult:
        """Talk to the caller."""
        view.put("call.stage", job.entity, TALKING)
        view.put("call.answered", job.entity, view.now)
        return Delay(int(self.calls.talk[job.entity]))

    def call_triaged(self, view: View, job: Job) -> StepResult:
        """Hand the call over to the dispatchers, to another desk, or to others outside the service."""
        call = job.entity
        if self.requests.referred[call]:
            event = view.emit("call_closed", call, CLOSED_HANDED_ON)
            desk.record(view, call, TRANSFERRED, event, closed=view.now)
            return Done()
        own, wrong, here = int(self.requests.desk[call]), int(self.requests.wrong[call]), int(view["call.desk"][call])
        further = wrong if wrong >= 0 and here == 0 else own
        if further >= 0 and here != own:
            view.put("call.desk", call, further)
            view.because(view.emit("call_put_through", call, float(further)))
            view.release(job.ticket, "call_taker")
            return Delay(self.transfer, "connect")
        self.open_request(view, call)
        return Done()

    def call_hung_up(self, view: View, job: Job) -> StepResult:
        """Lose a caller nobody answered."""
        event = view.emit("call_closed", job.entity, CLOSED_HUNG_UP)
        desk.record(view, job.entity, ABANDONED, event, closed=view.now)
        return Done()

    def call_connect(self, view: View, job: Job) -> StepResult:
        """Ring at a further desk."""
        view.put("call.stage", job.entity, RINGING)
        row = int(view["call.desk"][job.entity])
        return Acquire("call_taker", row, then="second", patience=self._patience(job), otherwise="hung_up")

    def call_second(self, view: View, job: Job) -> StepResult:
        """Talk to the caller again, at a further desk."""
        view.put("call.stage", job.entity, TALKING)
        return Delay(int(self.requests.second[job.entity]), "triaged")

    def open_request(self, view: View, call: int) -> None:
        """Let a request wait for a unit; the first of an incident opens its companions too."""
        lead = int(self.requests.lead[call])
        if self.requests.role[call] != RINGS:
            view.put("call.rung", call, int(view["call.rung"][lead]))
        view.put("call.node", call, self.calls.node[call])
        view.put("call.priority", call, self.calls.triaged[call])
        view.put("call.incident", call, lead)
        view.put("call.kind", call, self.requests.kind[call])
        view.put("call.need", call, self.requests.need[call])
        event = view.emit("call_triaged", call, float(self.calls.triaged[call]))
        desk.record(view, call, WAITING, event, triaged=view.now)
        self.watch(view, call)
        if call == lead and self.several[lead]:
            view.because(event)
            many = bool(self.rows_of(call, CASUALTY).size)
            view.schedule("mass_casualty_declared" if many else "incident_declared", target=call)
            for other in self.rows_of(call, COMPANION).tolist():
                self.open_request(view, other)

    def watch(self, view: View, call: int) -> None:
        """Let a patient who can get worse do so after a while, unless somebody has come by then."""
        need = int(view["call.need"][call])
        if self.worsens and int(view["call.priority"][call]) > 1 and (not need or need & PATIENT):
            view.schedule("patient_waits", self.worsens, target=call, cause=int(view["call.event"][call]))

    def worsen(self, view: View, call: int) -> None:
        """Make a patient nobody has reached more urgent, by what the desk knows; the time wanted stays."""
        if int(view["call.on_scene"][call]) >= 0 or int(view["call.stage"][call]) >= SERVED:
            return
        event = view.emit("patient_worsens", call, float(view["call.priority"][call] - 1))
        view.put("call.priority", call, int(view["call.priority"][call]) - 1)
        view.put("call.worsened", call, int(view["call.worsened"][call]) + 1)
        view.put("call.event", call, event)
        self.watch(view, call)

    def incident_rows(self, lead: int) -> Array:
        """Return the requests of an incident: all but bystanders' calls about it."""
        return np.flatnonzero((self.requests.lead == lead) & ~self.requests.referred)

    def rows_of(self, lead: int, role: int) -> Array:
        """Return the requests of an incident with one role."""
        return np.flatnonzero((self.requests.lead == lead) & (self.requests.role == role))

    def sort_casualties(self, view: View, call: int) -> None:
        """Let the first unit on the scene of an incident find its casualties one by one."""
        lead = int(self.requests.lead[call])
        if not self.several[lead] or view["call.sorted"][lead]:
            return
        view.put("call.sorted", lead, True)
        for row in self.rows_of(lead, CASUALTY).tolist():
            view.schedule("casualty_found", int(self.requests.delay[row]), target=row)

    def note_closed(self, view: View, call: int) -> None:
        """Close an incident of several requests with its last one."""
        lead = int(self.requests.lead[call])
        if self.several[lead] and (view["call.stage"][self.incident_rows(lead)] >= SERVED).all():
            view.schedule("incident_closed", target=lead)

    def absence_wait(self, view: View, job: Job) -> StepResult:
        """Stay at the desk until the next absence."""
        spans, done = self.absences.spans[job.entity], int(view["taker.absence"][job.entity])
        return Delay(max(spans[done][0] - view.now, 0)) if done < len(spans) else Done()

    def absence_leave(self, view: View, job: Job) -> StepResult:
        """Finish the call in hand, then leave before taking another."""
        return Acquire("call_taker", int(self.absences.desk[job.entity]), -1)

    def absence_away(self, view: View, job: Job) -> StepResult:
        """Be away until the shift begins or the break ends."""
        view.put("taker.away", job.entity, True)
        end = self.absences.spans[job.entity][int(view["taker.absence"][job.entity])][1]
        return Delay(max(end - view.now, 0))

    def absence_back(self, view: View, job: Job) -> StepResult:
        """Come back to the desk."""
        view.put("taker.away", job.entity, False)
        view.put("taker.absence", job.entity, int(view["taker.absence"][job.entity]) + 1)
        view.release(job.ticket, "call_taker")
        return Delay(0, "wait")
