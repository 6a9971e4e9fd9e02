"""Find in the event log of a run what made its latest call late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.contract import EventKind
    from twin.results import Run
    from twin.why import Causes

Array = np.ndarray[Any, Any]

TALK, WAIT, DRIVE = "call taking", "wait for a unit", "alert and drive"
ROAD_KINDS = ("link_slow", "road_flooded", "road_closure")
"""Kinds of events that lengthen a drive."""

_STAGES = (
    (TALK, "call_rings", "call_triaged"),
    (WAIT, "call_triaged", "unit_dispatched"),
    (DRIVE, "unit_dispatched", "unit_on_scene"),
)
_LOG = "events"
_OWN = {kind for _, *ends in _STAGES for kind in ends}


def causes(run: Run) -> Causes | None:
    """Return the event log of a run with its causes, None where it has none.

    Raises DataError where the log is damaged.
    """
    from twin.why import Causes

    columns = {"events": ("time", "kind", "target", "value", "data"), "parents": ("event", "parent")}
    if not all((run.folder / _LOG / f"{name}.parquet").is_file() for name in columns):
        return None
    return Causes(*(_columns(run, name, wanted) for name, wanted in columns.items()))


def kinds(run: Run) -> dict[str, EventKind]:
    """Return what the events of a run mean by kind, nothing for results of before that was written."""
    from twin.chain import KIND_COLUMNS, kinds_of

    if not (run.folder / _LOG / "kinds.parquet").is_file():
        return {}
    return kinds_of(_columns(run, "kinds", KIND_COLUMNS))


def _columns(run: Run, name: str, wanted: Sequence[str]) -> dict[str, Array]:
    """Return columns of a table of the event log."""
    from twin.results import read_table

    table = read_table(run, f"{_LOG}/{name}.parquet")
    return {column: table[column].to_numpy() for column in wanted}


def latest_call(found: Causes) -> int | None:
    """Return the late call that took longest, None when every call was in time."""
    late = found.find("call_late")
    return max(late, key=lambda event: (float(found.events["value"][event]), -event)) if late else None


def stages(found: Causes, event: int) -> dict[str, float]:
    """Return how long (s) a late call spent in each stage, as far as the log tells.

    Stages: call taking (ring to triage), wait for a unit (triage to dispatch), and the way
    there (dispatch to scene: the alert, mobilising and the drive).
    """
    times = _times(found, event)
    known = [(name, times[a], times[b]) for name, a, b in _STAGES if a in times and b in times]
    return {name: max(0.0, (last - first) / 1e6) for name, first, last in known}


def _times(found: Causes, event: int) -> dict[str, int]:
    """Return the kinds of the events of a call before it was late, with the time of the last of each kind."""
    columns = found.events
    own = (columns["target"] == columns["target"][event]) & (columns["time"] <= columns["time"][event])
    return {
        kind: int(columns["time"][own & (columns["kind"] == kind)].max()) for kind in _OWN & set(columns["kind"][own])
    }


def told_path(found: Causes, event: int) -> list[int]:
    """Return the line of causes under the longest stage of a late call, from its root to the call.

    A late call names its reasons by size; the way there has the slow or closed links among
    them, the wait for a unit the order. Without such a reason the richest line is told.
    """
    spent = stages(found, event)
    longest = max(spent, key=lambda name: spent[name], default="")
    kinds = found.events["kind"]
    reasons = [n for n in found.behind(event) if str(kinds[n]) != "unit_on_scene"]
    if longest == DRIVE:
        chosen = [n for n in reasons if str(kinds[n]) in ROAD_KINDS]
    else:
        chosen = [n for n in reasons if longest == WAIT and str(kinds[n]) == "unit_dispatched"]
    return [*found.line(chosen[0]), event] if chosen else found.line(event)
