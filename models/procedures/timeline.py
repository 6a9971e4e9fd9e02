"""The stages of all procedures that began, as a table and as figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND

if TYPE_CHECKING:
    from twin.models.procedures.manual import Manual
    from twin.view import View


def timeline(view: View, manual: Manual) -> dict[str, np.ndarray[Any, Any]]:
    """Return one row per stage: of what, with whom, how often handed up, and its times (us, -1 never)."""
    rows = np.flatnonzero(view["task.alive"])
    sop = view["task.sop"][rows]
    number, stage = view["sop.procedure"][sop], view["task.stage"][rows]
    named = [manual.procedures[p] for p in number.tolist()]
    told = {f"{c}_time": view[f"task.{c}"][rows] for c in ("told", "acknowledged", "done")}
    return {
        "number": sop,
        "procedure": np.array([p.name for p in named], dtype=np.str_),
        "stage": np.array([p.stages[s].name for p, s in zip(named, stage.tolist(), strict=True)], np.str_),
        "role": np.array([manual.roles[r].name for r in view["task.role"][rows].tolist()], dtype=np.str_),
        "escalated": view["task.level"][rows],
        "state": view["task.state"][rows],
        **told,
    }


def figures(view: View) -> dict[str, float]:
    """Return times to acknowledge and to close (s), escalations and open procedures.

    A task that nobody has taken on counts with the time it has waited so far: leaving
    it out would make a command centre look the faster the more it leaves undone.
    """
    tasks, sops = view["task.alive"], view["sop.alive"]
    told = tasks & (view["task.told"] >= 0)
    taken = view["task.acknowledged"]
    closed = sops & (view["sop.closed"] >= 0)
    return {
        "time_to_acknowledge": _mean((np.where(taken < 0, view.now, taken) - view["task.told"])[told]),
        "time_to_close": _mean((view["sop.closed"] - view["sop.begun"])[closed]),
        "escalations": float(view["task.level"][tasks].sum()),
        "procedures_open": float((sops & ~closed).sum()),
    }


def _mean(times: np.ndarray[Any, Any]) -> float:
    return float(times.mean()) / SECOND if times.size else math.nan
