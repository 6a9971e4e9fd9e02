"""Columns of officers, roles, procedures that began and their tasks."""

from __future__ import annotations

from twin.contract import EventKind
from twin.fields import Field
from twin.rows import list_fields

BLOCKED, TOLD, AT_WORK, WAITING, FINISHED = range(5)
"""States of a task."""

FIELDS = (
    Field("officer.role", "int16", "1", "role of the officer", observable=True),
    Field("officer.idle", "bool", "1", "has no task", 1, observable=True),
    Field("officer.task", "int32", "1", "task in hand, -1 for none", -1, observable=True),
    Field("role.tasks", "int64", "1", "tasks told to the role"),
    Field("role.above", "int16", "1", "role above it, -1 for the highest", -1, observable=True),
    Field("sop.procedure", "int16", "1", "row of the procedure", observable=True),
    Field("sop.begun", "int64", "us", "when it began", observable=True),
    Field("sop.closed", "int64", "us", "when its last stage was done, -1 while it is open", -1, observable=True),
    Field("sop.heard", "int64", "1", "set of the awaited events that have happened"),
    Field("sop.target", "int64", "1", "what the event that began it was about", observable=True),
    *list_fields("sop"),
    Field("task.sop", "int32", "1", "procedure run it belongs to", observable=True),
    Field("task.stage", "int16", "1", "stage of the procedure", observable=True),
    Field("task.state", "int8", "1", "0 blocked, 1 told, 2 at work, 3 waits for an event, 4 done", observable=True),
    Field("task.role", "int16", "1", "role it stands with", observable=True),
    Field("task.officer", "int32", "1", "officer who has it, -1 for none", -1, observable=True),
    Field("task.level", "int16", "1", "times it was escalated", observable=True),
    Field("task.told", "int64", "us", "when a role was first told", -1, observable=True),
    Field("task.deadline", "int64", "us", "when it must be acknowledged", observable=True),
    Field("task.acknowledged", "int64", "us", "when an officer took it on", -1, observable=True),
    Field("task.done", "int64", "us", "when it was done", -1, observable=True),
    Field("task.job", "int64", "1", "its job, -1 for none", -1),
    *list_fields("task"),
)

TELLS = (
    EventKind("procedure_begins", "a procedure of the manual, number `value` of it, begins", "sop"),
    EventKind("procedure_closed", "its last stage is done, so long after it began", "sop", unit="s"),
    EventKind("task_told", "a role is told to do something", "task", row="role"),
    EventKind("task_by_messenger", "word goes on foot, for want of a network", "task", row="role"),
    EventKind("task_acknowledged", "an officer takes it on, so long after being told", "task", unit="s"),
    EventKind("task_escalated", "it goes to the role above", "task", row="role"),
    EventKind("task_done", "it is done, so long after the role was told", "task", unit="s"),
)
