"""What a run of the emergency service shows: figures, data frames, a picture."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.emergency.simulation import Simulation

Array = np.ndarray[Any, Any]

SECOND = 1_000_000
UNIT_STATES = ("at station", "mobilising", "to scene", "on scene", "to hospital", "at hospital", "returning")
CALL_STATES = (
    "future",
    "open",
    "open",
    "open",
    "open",
    "open",
    "open",
    "open",
    "served",
    "transferred",
    "abandoned",
)
EVENTS = (
    "call_arrives",
    "call_waits",
    "unit_dispatched",
    "unit_mobilised",
    "unit_reaches_scene",
    "unit_to_hospital",
    "unit_reaches_hospital",
    "unit_free",
    "unit_returns",
    "unit_reaches_station",
    "unit_moves_up",
    "call_preempted",
    "call_transferred",
    "call_abandoned",
)


class Result:
    """What happened in a run so far; everything is made when it is asked for.

    Raises RuntimeError if a call or a unit has been lost, which is a defect of the simulator.
    """

    def __init__(self, run: Simulation) -> None:
        self.run = run
        lost = broken(run)
        if lost:
            raise RuntimeError("; ".join(lost))

    @cached_property
    def figures(self) -> dict[str, float]:
        """All figures of the run.

        calls, served, transferred, abandoned, open; response_mean and so on: s from arrival to
        a unit on scene, of all calls reached and per priority (response_p90_<name>); late_share:
        part of the calls reached that were reached later than their target; wait_mean: s from when a
        unit could be sent until one was; queue_mean, queue_max: calls waiting; utilisation: part of
        time units had a call; preempted: times a call lost its unit
        """
        return figures_of(self.run)

    @cached_property
    def calls(self) -> pd.DataFrame:
        """The calls given, with outcome, unit, hospital, instants and response (s)."""
        from twin.kernels import emergency_arrays as kernel

        state = self.run.state.call
        outcome = np.array(CALL_STATES, object)[state[:, kernel.STATUS]]
        table = self.run.calls.reset_index(drop=True).assign(outcome=outcome, unit=state[:, kernel.UNIT])
        table["hospital_reached"] = state[:, kernel.CHOSEN]
        names = ("sent", "left", "on_scene", "left_scene", "at_hospital", "closed")
        for place, name in enumerate(names, start=kernel.SENT):
            table[name] = np.where(state[:, place] >= 0, state[:, place] / SECOND, np.nan)
        table["response"] = (state[:, kernel.AT_SCENE] - self.run.case.demand.call[:, kernel.ARRIVE]) / SECOND
        table.loc[state[:, kernel.AT_SCENE] < 0, "response"] = np.nan
        table["preempted"] = state[:, kernel.PREEMPTED]
        return table

    @cached_property
    def units(self) -> pd.DataFrame:
        """The units: home station, calls attended, utilisation, hours in each status."""
        from twin.kernels import emergency_arrays as kernel

        spent = _spent(self.run)
        state = self.run.state.unit
        table = self.run.region.units.assign(calls=state[:, kernel.U_CALLS], utilisation=_busy_share(spent))
        for place, name in enumerate(UNIT_STATES):
            table[f"hours {name}"] = spent[:, place] / SECOND / 3600
        return table

    @cached_property
    def events(self) -> pd.DataFrame:
        """Everything that happened, in order: time (s), kind, call, unit, value."""
        import pandas as pd

        log = self.run.log
        kind = pd.Categorical.from_codes(log[:, 1], categories=pd.Index(EVENTS))
        return pd.DataFrame(
            {"time": log[:, 0] / SECOND, "kind": kind, "call": log[:, 2], "unit": log[:, 3], "value": log[:, 4]}
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the share of calls reached within a time, by priority; return the axes."""
        from twin.plot.response import response_plot

        names = self.run.region.priorities["name"].tolist()
        response = [
            self.calls.loc[self.calls["priority"] == i, "response"].dropna().to_numpy() for i in range(len(names))
        ]
        return response_plot(dict(zip(names, response, strict=True)), self.run.region.priorities["target"].tolist(), ax)


def _spent(run: Simulation) -> Array:
    """Return the us each unit has spent in each status until the last event."""
    from twin.kernels import emergency_arrays as kernel

    spent, unit = run.state.spent.copy(), run.state.unit
    rows = np.arange(len(unit))
    spent[rows, unit[:, kernel.U_STATUS]] += run.state.clock[kernel.NOW] - unit[:, kernel.U_SINCE]
    return spent


def _busy_share(spent: Array) -> Array:
    """Return the part of time each unit had a call."""
    from twin.kernels import emergency_arrays as kernel

    total = spent.sum(axis=1)
    busy = spent[:, kernel.MOBILISING : kernel.AT_DOOR + 1].sum(axis=1)
    return np.asarray(np.divide(busy, total, out=np.zeros(len(spent)), where=total > 0))


def figures_of(run: Simulation) -> dict[str, float]:
    """Compute the figures of a run from its arrays."""
    from twin.kernels import emergency_arrays as kernel

    call, asked, clock = run.state.call, run.case.demand.call, run.state.clock
    status = np.bincount(call[:, kernel.STATUS], minlength=11)
    figures = {"calls": float(len(call) - status[kernel.FUTURE]), "served": float(status[kernel.SERVED])}
    figures["transferred"], figures["abandoned"] = float(status[kernel.TRANSFERRED]), float(status[kernel.ABANDONED])
    figures["open"] = float(status[kernel.ARRIVED : kernel.SERVED].sum())
    scene, arrive = call[:, kernel.AT_SCENE], asked[:, kernel.ARRIVE]
    response = np.where(scene >= 0, scene - arrive, -1)
    stage = call[:, kernel.STATUS]
    unreached = (stage >= kernel.ARRIVED) & (stage < kernel.SERVED) & (scene < 0)
    stands = np.where(unreached, clock[kernel.NOW] - arrive, -1)
    parts, n_late, n_overdue = [], [], []
    for level, target in enumerate(run.case.settings.target.tolist()):
        own = asked[:, kernel.PRIORITY] == level
        ordered = np.sort(response[own & (response >= 0)])
        parts.append(ordered)
        n_late.append(len(ordered) - int(np.searchsorted(ordered, target, side="right")))
        n_overdue.append(int((stands[own] > target).sum()))
    figures |= _of(np.sort(np.concatenate(parts)), sum(n_late), sum(n_overdue), "")
    for name, ordered, late, overdue in zip(run.region.priorities["name"], parts, n_late, n_overdue, strict=True):
        figures |= _of(ordered, late, overdue, f"_{name}")
    sent = call[:, kernel.SENT] - asked[:, kernel.KNOWN]
    figures["wait_mean"] = float(sent[scene >= 0].mean()) / SECOND if (scene >= 0).any() else float("nan")
    waited = clock[kernel.WAITED] + clock[kernel.N_WAITING] * (clock[kernel.NOW] - clock[kernel.WAIT_SINCE])
    figures["queue_mean"] = float(waited / max(1, clock[kernel.NOW]))
    figures["queue_max"] = float(clock[kernel.MOST_WAITING])
    figures["utilisation"] = float(_busy_share(_spent(run)).mean())
    figures["preempted"] = float(call[:, kernel.PREEMPTED].sum())
    return figures


def _of(response: Array, late: int, overdue: int, ending: str) -> dict[str, float]:
    """Return mean, percentiles and late share of responses (us), sorted; numpy sorts faster than it selects.

    overdue  calls past their target that nobody has reached: leaving a call unserved must never look
             better than serving it late

    What nobody was there to show is nan.
    """
    names = [f"response_{name}{ending}" for name in ("mean", "p50", "p90", "p95")]
    judged = len(response) + overdue
    share = {f"late_share{ending}": (late + overdue) / judged if judged else math.nan}
    if not len(response):
        return dict.fromkeys(names, math.nan) | share
    figures = {f"response_mean{ending}": float(response.mean()) / SECOND}
    for percent in (50, 90, 95):
        place = (len(response) - 1) * percent / 100
        low = int(place)
        high = min(low + 1, len(response) - 1)
        value = response[low] + (place - low) * (response[high] - response[low])
        figures[f"response_p{percent}{ending}"] = float(value) / SECOND
    return figures | share


def broken(run: Simulation) -> list[str]:
    """Say which calls and units are lost: each call has one state, and one unit where it needs one."""
    from twin.kernels import emergency_arrays as kernel

    call, unit, clock = run.state.call, run.state.unit, run.state.clock
    status = call[:, kernel.STATUS]
    problems = []
    waiting = []
    for first, _ in run.state.queue.tolist():
        here = first
        while here >= 0:
            waiting.append(here)
            here = int(call[here, kernel.FOLLOWING])
    if sorted(waiting) != np.flatnonzero(status == kernel.WAITING).tolist() or len(waiting) != clock[kernel.N_WAITING]:
        problems.append("calls that wait are not those in the queue")
    attended = np.flatnonzero((status >= kernel.DISPATCHED) & (status < kernel.SERVED))
    holder = np.flatnonzero(unit[:, kernel.U_CALL] >= 0)
    if sorted(unit[holder, kernel.U_CALL].tolist()) != attended.tolist():
        problems.append("calls with a unit are not those units have")
    elif (call[unit[holder, kernel.U_CALL], kernel.UNIT] != holder).any():
        problems.append("a call and its unit disagree")
    ended = status >= kernel.SERVED
    if (ended != (call[:, kernel.CLOSED] >= 0)).any():
        problems.append("a call has ended without an end, or the reverse")
    if (status[: clock[kernel.NEXT_ARRIVAL]] == kernel.FUTURE).any():
        problems.append("a call that has arrived is still in the future")
    idle = np.isin(unit[:, kernel.U_STATUS], (kernel.AT_STATION, kernel.RETURNING))
    if idle.sum() != clock[kernel.N_IDLE] or (idle == (unit[:, kernel.U_CALL] >= 0)).any():
        problems.append("idle units are miscounted")
    return problems
