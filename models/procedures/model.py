"""Standard operating procedures: who is told, who acknowledges in time, who is asked next, when it closes.

Every stage of a procedure is a task row with its times. The officers of a role are
servers; a task queues for one, who reacts after a while. If nobody has acknowledged by
the deadline, the task goes to the role above, and so on; the highest role has no deadline.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import NEVER, SECOND, Acquire, Delay, Done, Event, EventKind, Kpi, Model, Option, Park, Resource
from twin.errors import DataError
from twin.models.plan_file import locate
from twin.models.procedures.manual import Manual, faults_of, read_manual, sites_of
from twin.models.procedures.tables import AT_WORK, BLOCKED, FIELDS, FINISHED, TELLS, TOLD, WAITING
from twin.models.procedures.timeline import figures, timeline

if TYPE_CHECKING:
    from twin.contract import Setup, StepResult
    from twin.procedure import Job
    from twin.view import View

Array = np.ndarray[Any, Any]


class Procedures(Model):
    """Stages, officers and timers of the command centre."""

    name = "procedures"
    owns = FIELDS
    reads = ("site.alive",)
    events = (EventKind("escalate", "order: give a task to the role above", target="task"),)
    tells = TELLS
    options = (
        Option("manual", "procedures of the command centre (.yaml)", "path", ""),
        Option("spread", "coefficient of variation of reactions and work (assumption)", default=0.3, low=0, high=10),
    )
    procedures: ClassVar = {"task": ("tell", "taken", "acknowledge", "finish", "late", "over")}
    resources = (Resource("officer", "role", "people", "officers of a role"),)
    deciders = ("officer",)
    kpi_list = (
        Kpi("time_to_acknowledge", "s", "lower", "mean time from telling a role to acknowledgement or the end", 15.0),
        Kpi("time_to_close", "s", "lower", "mean time from the beginning to the end of a procedure", 120.0),
        Kpi("escalations", "1", "lower", "tasks given to a higher role", 1.0),
        Kpi("procedures_open", "1", "lower", "procedures not closed at the end", 1.0),
    )
    series = (Kpi("tasks_waiting", "1", "lower", "tasks told and not acknowledged", 1.0),)

    def examine(self, setup: Setup) -> list[str]:
        """Return what is wrong with the manual."""
        try:
            manual = _manual_of(setup)
        except DataError as error:
            return str(error).splitlines()
        found = faults_of(manual, setup.kinds)
        try:
            sites_of(manual, setup.city)
        except DataError as error:
            found += str(error).splitlines()
        return found

    def setup(self, setup: Setup) -> dict[str, int]:
        """Read the procedures, and listen to the events that begin them.

        Raises DataError where the manual names an event that nothing here handles, or that is about something else.
        """
        self.manual: Manual = _manual_of(setup)
        wrong = faults_of(self.manual, setup.kinds)
        if wrong:
            raise DataError("\n".join(wrong))
        self.sites = sites_of(self.manual, setup.city)
        self.kinds = setup.kinds
        self.tables_of = [setup.kinds[procedure.starts_on].target for procedure in self.manual.procedures]
        vars(self)["listens"] = self.manual.events()
        self.people = np.array([role.people for role in self.manual.roles], dtype=np.int64)
        self.role_of = np.repeat(np.arange(self.people.shape[0]), self.people)
        self.spread = float(setup.options["spread"])
        return {
            "officer": int(self.people.sum()),
            "role": self.people.shape[0],
            "sop": 8,
            "task": 32,
        }

    def start(self, view: View) -> None:
        """Give every officer a role."""
        view.put("officer.role", slice(None), self.role_of)
        view.put("role.above", slice(None), [role.above for role in self.manual.roles])

    def on_event(self, view: View, event: Event) -> None:
        """Begin procedures, end waits, escalate by order."""
        if event.kind == "escalate":
            self._escalate(view, event.target)
            return
        self._end_waits(view, event)
        for number, procedure in enumerate(self.manual.procedures):
            if procedure.starts_on == event.kind:
                self._open(view, number, event)

    def _escalate(self, view: View, task: int) -> None:
        """Give a task nobody has taken on to the role above, if there is one."""
        if not (view["task.alive"][task] and view["task.state"][task] == TOLD):
            return
        if view["role.above"][view["task.role"][task]] >= 0:
            view.interrupt(int(view["task.job"][task]), "late")

    def _open(self, view: View, number: int, event: Event) -> None:
        """Begin a procedure: a row for it and for each of its stages."""
        sop = view.take("sop")
        begun = view.emit("procedure_begins", sop, float(number), event.target, [event.id])
        view.because(begun)
        row = {"procedure": number, "begun": view.now, "closed": -1, "target": event.target, "heard": 0}
        for column, value in row.items():
            view.put(f"sop.{column}", sop, value)
        for stage, given in enumerate(self.manual.procedures[number].stages):
            task = view.take("task")
            fresh = {"sop": sop, "stage": stage, "state": BLOCKED, "role": given.role, "level": 0}
            never = dict.fromkeys(("officer", "told", "acknowledged", "done", "job"), -1)
            for column, value in {**fresh, **never}.items():
                view.put(f"task.{column}", task, value)
        self._advance_stages(view, sop)

    def _tasks(self, view: View, sop: int) -> Array:
        """Return the task rows of a procedure, by stage."""
        rows = np.flatnonzero(view["task.alive"] & (view["task.sop"] == sop))
        return rows[np.argsort(view["task.stage"][rows], kind="stable")]

    def _stage(self, view: View, task: int) -> Any:
        number = int(view["sop.procedure"][view["task.sop"][task]])
        return self.manual.procedures[number].stages[int(view["task.stage"][task])]

    def _advance_stages(self, view: View, sop: int) -> None:
        """Tell every stage whose predecessors are done; close the procedure after the last."""
        tasks = self._tasks(view, sop)
        for task in tasks.tolist():
            before = tasks[list(self._stage(view, task).after)]
            if view["task.state"][task] == BLOCKED and (view["task.state"][before] == FINISHED).all():
                view.put("task.state", task, TOLD)
                view.put("task.told", task, view.now)
                view.put("task.job", task, view.begin("task", task))
        if (view["task.state"][tasks] == FINISHED).all():
            view.put("sop.closed", sop, view.now)
            view.emit("procedure_closed", sop, (view.now - int(view["sop.begun"][sop])) / SECOND)

    def _end_waits(self, view: View, event: Event) -> None:
        """Note the event with procedures about its target, and go on with stages that waited for it."""
        table = self.kinds[event.kind].table(event.data)
        astray = np.array([bool(table and own and table != own) for own in self.tables_of], dtype=bool)
        about = view["sop.alive"] & (view["sop.closed"] < 0) & np.isin(view["sop.target"], (event.target, -1))
        about &= ~astray[view["sop.procedure"]]
        view.raw("sop.heard")[about] |= 1 << self.listens.index(event.kind)
        for task in np.flatnonzero(view["task.alive"] & (view["task.state"] == WAITING)).tolist():
            if self._stage(view, task).until == event.kind and about[view["task.sop"][task]]:
                view.interrupt(int(view["task.job"][task]), "over")

    def task_tell(self, view: View, job: Job) -> StepResult:
        """Tell the role, and queue for one of its officers until the deadline."""
        task = job.entity
        role = int(view["task.role"][task])
        view.raw("role.tasks")[role] += 1
        view.because(view.emit("task_told", task, float(role), int(view["task.level"][task])))
        limit = round(self._stage(view, task).deadline * SECOND)
        last = limit == 0 or self.manual.roles[role].above < 0
        view.put("task.deadline", task, NEVER if last else view.now + limit)
        return Acquire("officer", role, 0, "taken", NEVER if last else limit, "" if last else "late")

    def task_taken(self, view: View, job: Job) -> StepResult:
        """Let the officer react: in time, or not before the deadline."""
        task = job.entity
        role = int(view["task.role"][task])
        free = np.flatnonzero((view["officer.role"] == role) & view["officer.idle"])
        view.put("task.officer", task, int(free[0]))
        view.put("officer.idle", int(free[0]), False)
        view.put("officer.task", int(free[0]), task)
        takes = self._drawn(view, "reaction", job, self.manual.roles[role].reaction) + self._unheard(view, task, role)
        left = int(view["task.deadline"][task]) - view.now
        return Delay(takes, "acknowledge") if takes <= left else Delay(max(left, 0), "late")

    def _unheard(self, view: View, task: int, role: int) -> int:
        """Return the us longer a role takes to hear of a task because its telecom site is dead now."""
        site = int(self.sites[role])
        if site < 0 or "site.alive" not in view or view["site.alive"][site]:
            return 0
        causes = [view.cause_id, view.cause("site.alive", site)]
        view.because(view.emit("task_by_messenger", task, float(role), site, causes))
        return round(self.manual.roles[role].messenger * SECOND)

    def _drawn(self, view: View, stream: str, job: Job, mean: float) -> int:
        """Return a lognormal time (us) keyed by procedure run, stage and level."""
        from statistics import NormalDist

        if mean <= 0.0:
            return 0
        sigma = math.sqrt(math.log1p(self.spread**2))
        key = int(view["task.sop"][job.entity]) * 1000 + int(view["task.stage"][job.entity])
        chance = view.uniform(f"task.{stream}", key, int(view["task.level"][job.entity]))
        return max(round(mean * math.exp(sigma * NormalDist().inv_cdf(chance) - sigma**2 / 2) * SECOND), 1)

    def task_acknowledge(self, view: View, job: Job) -> StepResult:
        """Take the task on and do the work."""
        task = job.entity
        waited = (view.now - int(view["task.told"][task])) / SECOND
        view.because(view.emit("task_acknowledged", task, waited, int(view["task.officer"][task])))
        view.put("task.acknowledged", task, view.now)
        view.put("task.state", task, AT_WORK)
        return Delay(self._drawn(view, "work", job, self._stage(view, task).work))

    def task_finish(self, view: View, job: Job) -> StepResult:
        """Order what the stage orders; then wait for its event, if it has one."""
        stage = self._stage(view, job.entity)
        for act in stage.does:
            target = int(view["sop.target"][view["task.sop"][job.entity]]) if act.target < 0 else act.target
            view.order(act.kind, target, act.value)
        self._give_back(view, job)
        heard = int(view["sop.heard"][view["task.sop"][job.entity]])
        if stage.until and not heard >> self.listens.index(stage.until) & 1:
            view.put("task.state", job.entity, WAITING)
            return Park("over")
        return Delay(0, "over")

    def task_late(self, view: View, job: Job) -> StepResult:
        """Give the task to the role above."""
        task = job.entity
        self._give_back(view, job)
        above = self.manual.roles[int(view["task.role"][task])].above
        if above >= 0:
            view.put("task.role", task, above)
            view.put("task.level", task, int(view["task.level"][task]) + 1)
            view.because(view.emit("task_escalated", task, float(above), int(view["task.level"][task])))
        return Delay(0, "tell")

    def task_over(self, view: View, job: Job) -> StepResult:
        """End the stage and begin what comes after it."""
        task = job.entity
        view.because(view.emit("task_done", task, (view.now - int(view["task.told"][task])) / SECOND))
        view.put("task.done", task, view.now)
        view.put("task.state", task, FINISHED)
        view.put("task.job", task, -1)
        self._advance_stages(view, int(view["task.sop"][task]))
        return Done()

    def _give_back(self, view: View, job: Job) -> None:
        """Free the officer of a task."""
        officer = int(view["task.officer"][job.entity])
        if officer >= 0:
            view.put("officer.idle", officer, True)
            view.put("officer.task", officer, -1)
            view.put("task.officer", job.entity, -1)
        view.release(job.ticket, "officer")

    def kpis(self, view: View) -> dict[str, float]:
        """Return times to acknowledge and to close, escalations and open procedures."""
        return figures(view)

    def measure(self, view: View) -> dict[str, float]:
        """Return tasks that nobody has acknowledged yet."""
        return {"tasks_waiting": float((view["task.alive"] & (view["task.state"] == TOLD)).sum())}

    def tables(self, view: View) -> dict[str, dict[str, Any]]:
        """Return one row per stage of every procedure that began."""
        return {"procedures/timeline": timeline(view, self.manual)}

    def check(self, view: View) -> list[str]:
        """Return tasks and officers that contradict each other."""
        alive = view["task.alive"]
        held = view["task.officer"][alive & (view["task.officer"] >= 0)]
        found = []
        if np.unique(held).shape[0] != held.shape[0] or held.shape[0] != int((~view["officer.idle"]).sum()):
            found.append(f"{held.shape[0]} tasks are in hand, {int((~view['officer.idle']).sum())} officers are busy")
        if (alive & (view["task.state"] == FINISHED) & (view["task.done"] < view["task.acknowledged"])).any():
            found.append("a stage was done before it was acknowledged")
        return found


def _manual_of(setup: Setup) -> Manual:
    path = locate(str(setup.options["manual"]), setup.folder)
    return read_manual(path) if path else Manual((), ())
