"""Figures and invariants of the emergency model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.emergency.incidents import RINGS
from twin.models.emergency.outcomes import survival
from twin.models.emergency.service_kinds import words
from twin.models.emergency.tables import (
    ABANDONED,
    AT_STATION,
    DISPATCHED,
    GOING_OFF,
    OFF_DUTY,
    RETURNING,
    RINGING,
    SERVED,
    TRANSFERRED,
    WAITING,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.models.emergency.incidents import Requests
    from twin.models.emergency.service_plan import Units
    from twin.view import View


ENDS = ("served", "transferred", "abandoned", "open")
"""How a call can end; a call is exactly one of them at every instant from its ring on."""


def figures(view: View, requests: Requests, target: NDArray[np.float64], answer: float) -> dict[str, float]:
    """Return the KPIs.

    target  (3,)  s, response wanted by true priority
    answer  s within which a call is to be answered
    """
    rung, on_scene = view["call.rung"], view["call.on_scene"]
    reached = on_scene >= 0
    response = (on_scene[reached] - rung[reached]) / SECOND
    waited = (view["call.bay"] >= 0) & (view["call.at_hospital"] >= 0)
    hospital = (view["call.bay"][waited] - view["call.at_hospital"][waited]) / SECOND
    return {
        "response_mean": float(response.mean()) if response.size else math.nan,
        "response_p90": float(np.percentile(response, 90)) if response.size else math.nan,
        "late_share": _late_share(view, requests, target),
        "calls_served": float((view["call.stage"] == SERVED).sum()),
        "calls_transferred": float((view["call.stage"] == TRANSFERRED).sum()),
        "calls_abandoned": float((view["call.stage"] == ABANDONED).sum()),
        "answered_in_time": _answered_in_time(view, requests, answer),
        "units_preempted": float(view["call.preempted"].sum()),
        "hospital_diverted": float(view["hospital.diverted"].sum()),
        "calls_open": float(_open(view).sum()),
        "patients_worsened": float(view["call.worsened"].sum()),
        "survival_proxy": _survival(view, requests),
        "hospital_wait": float(hospital.mean()) if hospital.size else math.nan,
    }


def _answered_in_time(view: View, requests: Requests, answer: float) -> float:
    """Return the share of callers answered within `answer` s, of those of whom that is known; nan for none."""
    rung, answered = view["call.rung"], view["call.answered"]
    rang = (requests.role == RINGS) & (rung >= 0)
    waited = np.where(answered >= 0, answered, view.now) - rung
    good = rang & (answered >= 0) & (waited <= answer * SECOND)
    known = good | (rang & ((waited > answer * SECOND) | (view["call.stage"] == ABANDONED)))
    return float(good.sum() / known.sum()) if known.any() else math.nan


def _survival(view: View, requests: Requests) -> float:
    """Return the mean chance to survive had all calls of priority 1 been cardiac arrests; nan for none.

    A patient nobody has reached yet counts with the time waited so far. Source: see `outcomes.survival`.
    """
    rung, on_scene = view["call.rung"], view["call.on_scene"]
    urgent = (rung >= 0) & (requests.calls.priority == 1) & ~np.isin(view["call.stage"], (ABANDONED, TRANSFERRED))
    waited = (np.where(on_scene >= 0, on_scene, view.now) - rung)[urgent] / SECOND
    return float(survival(waited).mean()) if waited.size else math.nan


def _late_share(view: View, requests: Requests, target: NDArray[np.float64]) -> float:
    """Return late calls as a share of those that are late or reached."""
    late = _late(view, requests, target)
    judged = late | (view["call.on_scene"] >= 0)
    return float(late.sum() / judged.sum()) if judged.any() else math.nan


def _late(view: View, requests: Requests, target: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which calls are late; one nobody has reached is late once its target has passed.

    Leaving a call unserved must never look better than serving it late.
    """
    rung, on_scene = view["call.rung"], view["call.on_scene"]
    age = np.where(on_scene >= 0, on_scene, view.now) - rung
    over = age / SECOND > target[requests.calls.priority - 1]
    late: NDArray[np.bool_] = (rung >= 0) & ~np.isin(view["call.stage"], (ABANDONED, TRANSFERRED)) & over
    return late


def call_table(view: View, requests: Requests, target: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return one row per call that rang: when, where, how urgent, and how soon somebody came.

    response  s from ring to first unit on scene, nan when nobody has come
    """
    rows = np.flatnonzero(view["call.rung"] >= 0)
    rung, on_scene = view["call.rung"][rows], view["call.on_scene"][rows]
    ids = view.city["nodes"]["id"], view.city["zones"]["id"]
    return {
        "number": requests.calls.number[rows],
        "time": rung,
        "node": ids[0][requests.calls.node[rows]],
        "zone": ids[1][requests.calls.zone[rows]],
        "incident": requests.lead[rows],
        "kind": np.array([*requests.kinds, ""])[requests.kind[rows]],
        "need": np.array([words(need) for need in requests.need[rows].tolist()], dtype=np.str_),
        "priority": requests.calls.priority[rows],
        "triaged_priority": view["call.priority"][rows],
        "response": np.where(on_scene >= 0, (on_scene - rung) / SECOND, np.nan),
        "late": _late(view, requests, target)[rows],
        "unit": view["call.unit"][rows],
        "stage": view["call.stage"][rows],
        "end": np.array(ENDS)[_ends(view)[:, rows].argmax(axis=0)],
    }


def unit_table(view: View, units: Units) -> dict[str, NDArray[Any]]:
    """Return one row per unit: what it is, where it belongs, and its overtime (s)."""
    ids = view.city["stations"]["id"]
    return {
        "kind": np.array(units.kind, dtype=np.str_),
        "own_station": ids[units.station],
        "station": ids[view["unit.station"]],
        "stage": view["unit.stage"].copy(),
        "overtime": view["unit.overtime"] / SECOND,
    }


def present(view: View) -> dict[str, float]:
    """Return the figures of the time series."""
    stage = view["call.stage"]
    return {
        "calls_waiting": float(((stage >= RINGING) & (stage <= WAITING)).sum()),
        "units_busy": float((~view["unit.free"] & ~_off(view)).sum()),
    }


def _off(view: View) -> NDArray[np.bool_]:
    """Tell which units are off duty, or on their way to being so."""
    stage = view["unit.stage"]
    return np.asarray((stage == OFF_DUTY) | (stage == GOING_OFF))


def _ends(view: View) -> NDArray[np.bool_]:
    """Tell of each call how it ended, from its times and units alone; (4, n_call) in the order of ENDS."""
    began, closed = view["call.rung"] >= 0, view["call.closed"] >= 0
    helped, sorted_ = view["call.on_scene"] >= 0, view["call.unit"] >= 0
    heard = view["call.stage"] != ABANDONED
    return np.stack(
        [
            began & closed & helped & sorted_,
            began & closed & ~helped & heard,
            began & closed & ~helped & ~heard,
            _open(view),
        ]
    )


def _open(view: View) -> NDArray[np.bool_]:
    """Tell which calls rang and have not ended, waiting or under way."""
    return np.asarray((view["call.rung"] >= 0) & (view["call.closed"] < 0))


def broken(view: View, requests: Requests) -> list[str]:
    """Return what must never be: a call lost or ended twice, or a unit on two calls or none."""
    stage, calls = view["call.stage"], requests.calls
    found = []
    silent = (calls.surge < 0) & (requests.role == RINGS) & (stage == 0) & (calls.time < view.now)
    if silent.any():
        found.append(f"call {int(np.argmax(silent))} should have rung and did not")
    found += _calls_broken(view)
    underway = np.flatnonzero((stage >= DISPATCHED) & (stage < SERVED))
    for row in underway.tolist():
        unit = int(view["call.unit"][row])
        if unit < 0 or int(view["unit.call"][unit]) != row:
            found.append(f"call {row} is under way but unit {unit} does not work on it")
    free, off = view["unit.free"], _off(view)
    idle = (view["unit.stage"] == AT_STATION) | (view["unit.stage"] == RETURNING)
    if (free != idle).any():
        found.append(f"unit {int(np.argmax(free != idle))} is free while on a call, or the reverse")
    if (free & ~view["unit.duty"]).any():
        found.append(f"unit {int(np.argmax(free & ~view['unit.duty']))} is free but not on duty")
    if int((~free & ~off).sum()) != underway.shape[0]:
        found.append(f"{int((~free & ~off).sum())} units are busy with {underway.shape[0]} calls under way")
    return found


def _calls_broken(view: View) -> list[str]:
    """Return calls that ended in no way or in several, or otherwise than their stage says."""
    stage, ends, found = view["call.stage"], _ends(view), []
    wrong = ends.sum(axis=0) != (view["call.rung"] >= 0)
    if wrong.any():
        found.append(f"call {int(np.argmax(wrong))} ends in {int(ends.sum(axis=0)[wrong][0])} ways")
    said = np.stack([stage == SERVED, stage == TRANSFERRED, stage == ABANDONED, (stage > 0) & (stage < SERVED)])
    if (said != ends).any():
        found.append(f"call {int(np.argmax((said != ends).any(axis=0)))} is closed otherwise than its stage says")
    if int(ends.sum()) != int((view["call.rung"] >= 0).sum()):
        found.append("served, transferred, abandoned and open calls are not all calls that rang")
    return found
