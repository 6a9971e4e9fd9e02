"""Figures and invariants of the emergency model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.emergency.tables import (
    ABANDONED,
    AT_STATION,
    DISPATCHED,
    RETURNING,
    RINGING,
    SERVED,
    WAITING,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.models.emergency.calls import CallList
    from twin.view import View


def figures(view: View, calls: CallList, target: NDArray[np.float64]) -> dict[str, float]:
    """Return the KPIs; target is the wanted response (s) by true priority, (3,)."""
    rung, on_scene = view["call.rung"], view["call.on_scene"]
    reached = on_scene >= 0
    response = (on_scene[reached] - rung[reached]) / SECOND
    waited = (view["call.bay"] >= 0) & (view["call.at_hospital"] >= 0)
    hospital = (view["call.bay"][waited] - view["call.at_hospital"][waited]) / SECOND
    return {
        "response_mean": float(response.mean()) if response.size else math.nan,
        "response_p90": float(np.percentile(response, 90)) if response.size else math.nan,
        "late_share": _late_share(view, calls, target),
        "calls_served": float((view["call.stage"] == SERVED).sum()),
        "calls_open": float(((view["call.stage"] >= RINGING) & (view["call.stage"] <= WAITING)).sum()),
        "hospital_wait": float(hospital.mean()) if hospital.size else math.nan,
    }


def _late_share(view: View, calls: CallList, target: NDArray[np.float64]) -> float:
    """Return late calls as a share of those that are late or reached."""
    late = _late(view, calls, target)
    judged = late | (view["call.on_scene"] >= 0)
    return float(late.sum() / judged.sum()) if judged.any() else 0.0


def _late(view: View, calls: CallList, target: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which calls are late; one nobody has reached is late once its target has passed.

    Leaving a call unserved must never look better than serving it late.
    """
    rung, on_scene = view["call.rung"], view["call.on_scene"]
    age = np.where(on_scene >= 0, on_scene, view.now) - rung
    late: NDArray[np.bool_] = (
        (rung >= 0) & (view["call.stage"] != ABANDONED) & (age / SECOND > target[calls.priority - 1])
    )
    return late


def call_table(view: View, calls: CallList, target: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return one row per call that rang: when, where, how urgent, and how soon somebody came.

    response  s from ring to first unit on scene, nan when nobody has come
    """
    rows = np.flatnonzero(view["call.rung"] >= 0)
    rung, on_scene = view["call.rung"][rows], view["call.on_scene"][rows]
    ids = view.city["nodes"]["id"], view.city["zones"]["id"]
    return {
        "number": calls.number[rows],
        "time": rung,
        "node": ids[0][calls.node[rows]],
        "zone": ids[1][calls.zone[rows]],
        "priority": calls.priority[rows],
        "triaged_priority": view["call.priority"][rows],
        "response": np.where(on_scene >= 0, (on_scene - rung) / SECOND, np.nan),
        "late": _late(view, calls, target)[rows],
        "unit": view["call.unit"][rows],
        "stage": view["call.stage"][rows],
    }


def present(view: View) -> dict[str, float]:
    """Return the figures of the time series."""
    stage = view["call.stage"]
    return {
        "calls_waiting": float(((stage >= RINGING) & (stage <= WAITING)).sum()),
        "units_busy": float((~view["unit.free"]).sum()),
    }


def broken(view: View, calls: CallList) -> list[str]:
    """Return what must never be: a call lost, or a unit on two calls or none."""
    stage = view["call.stage"]
    found = []
    base = calls.surge < 0
    silent = base & (stage == 0) & (calls.time < view.now)
    if silent.any():
        found.append(f"call {int(np.argmax(silent))} should have rung and did not")
    closed = (stage == SERVED) | (stage == ABANDONED)
    if ((view["call.closed"] >= 0) != closed).any():
        found.append("a call has a closing time without being closed, or the reverse")
    underway = np.flatnonzero((stage >= DISPATCHED) & (stage < SERVED))
    for row in underway.tolist():
        unit = int(view["call.unit"][row])
        if unit < 0 or int(view["unit.call"][unit]) != row:
            found.append(f"call {row} is under way but unit {unit} does not work on it")
    free = view["unit.free"]
    idle = (view["unit.stage"] == AT_STATION) | (view["unit.stage"] == RETURNING)
    if (free != idle).any():
        found.append(f"unit {int(np.argmax(free != idle))} is free while on a call, or the reverse")
    if int((~free).sum()) != underway.shape[0]:
        found.append(f"{int((~free).sum())} units are busy with {underway.shape[0]} calls under way")
    return found
