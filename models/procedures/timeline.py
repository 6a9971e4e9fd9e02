"""The stages of all procedures that began, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
