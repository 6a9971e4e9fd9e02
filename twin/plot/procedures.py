"""Draw when each stage of a procedure was told, acknowledged and done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.plot.style import BLUE, FAINT, INK, MUTED, ORANGE, Caption, axes_or_new, set_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MINUTE = 60_000_000
_TITLE_ROWS = 0.9
_TICKS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 360.0, 720.0, 1440.0)
"""Steps of the time axis, minutes."""
_MOST_TICKS = 9


def procedure_timeline(
    table: Mapping[str, Any], ax: Axes | None = None, caption: Caption | None = None,
    clock: Callable[[int], np.datetime64] | None = None,
) -> Axes:  # fmt: skip
    """Draw one bar per stage: waiting for acknowledgement, then the work until it was done.

    A stage that is still going on ends with an arrow at the last instant the table knows of; the
    number beside a bar says how often its task went to a higher role.

    table  columns of `procedures/timeline`: number, procedure, stage, role, escalated, and told_time,
           acknowledged_time, done_time in us, -1 for never
    clock  us since the start of the run -> local time; without it the axis counts minutes
    """
    columns = {name: np.asarray(table[name]) for name in table}
    begun = np.flatnonzero(columns["told_time"] >= 0)
    order = begun[np.lexsort((columns["told_time"][begun], columns["number"][begun]))]
    times = {c: columns[f"{c}_time"] / _MINUTE for c in ("told", "acknowledged", "done")}
    last = max((float(column.max()) for column in times.values() if column.size), default=0.0)
    place = _places(columns["number"][order])
    drawn = axes_or_new(ax, (9.0, 1.4 + 0.3 * (float(place[-1]) + 1.0 if place.size else 1.0)))
    for row, y in zip(order.tolist(), place.tolist(), strict=True):
        _draw_stage(drawn, {c: float(column[row]) for c, column in times.items()}, y, last)
        if columns["escalated"][row] > 0:
            drawn.text(times["told"][row], y, f"+{int(columns['escalated'][row])} ", ha="right", va="center", color=INK)
    labels = [f"{columns['stage'][r]} ({str(columns['role'][r]).replace('_', ' ')})" for r in order.tolist()]
    drawn.set_yticks(place, labels)
    number = columns["number"][order]
    for first in np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]])[: number.size]).tolist():
        name = str(columns["procedure"][order[first]]).replace("_", " ")
        drawn.text(0.0, place[first] - 0.75, name, transform=drawn.get_yaxis_transform(), weight="bold", color=INK)
    _finish(drawn, last, place)
    _time_axis(drawn, clock)
    set_title(drawn, "Procedures, stage by stage", caption)
    return drawn


def _places(run: Any) -> Any:
    """Return the height of each row: one a stage, and a gap for the title of each procedure run."""
    gaps = np.cumsum(np.concatenate([[0], run[1:] != run[:-1]])) if run.size else np.empty(0)
    return np.arange(run.size) + _TITLE_ROWS * gaps


def _draw_stage(ax: Axes, at: Mapping[str, float], y: float, last: float) -> None:
    taken = at["acknowledged"] if at["acknowledged"] >= 0 else last
    ax.barh(y, taken - at["told"], left=at["told"], height=0.5, color=ORANGE)
    if at["acknowledged"] >= 0:
        done = at["done"] if at["done"] >= 0 else last
        ax.barh(y, done - taken, left=taken, height=0.5, color=BLUE)
    if at["done"] < 0:
        ax.plot([last], [y], marker=">", color=MUTED, clip_on=False)


def _finish(ax: Axes, last: float, place: Any) -> None:
    from matplotlib.patches import Patch

    ax.set_ylim((float(place[-1]) if place.size else 0.0) + 0.6, -1.3)
    ax.set_xlim(right=last * 1.01 if last > 0 else 1.0)
    ax.grid(axis="x", color=FAINT, linewidth=0.7)
    ax.set_axisbelow(True)
    keys = [Patch(color=ORANGE, label="told, not yet acknowledged"), Patch(color=BLUE, label="work, and waiting")]
    ax.legend(handles=keys, loc="upper right", frameon=True, title="+n: given n times to a higher role")


def _time_axis(ax: Axes, clock: Callable[[int], np.datetime64] | None) -> None:
    """Write round local times under the axis where they are known, else minutes since the start."""
    if clock is None:
        ax.set_xlabel("minutes since the start of the run", color=MUTED)
        return
    low, high = ax.get_xlim()
    step = next((s for s in _TICKS if (high - low) / s <= _MOST_TICKS), _TICKS[-1])
    offset = float((clock(0) - clock(0).astype("datetime64[D]")) / np.timedelta64(1, "m"))
    ticks = np.arange(np.ceil((low + offset) / step), np.floor((high + offset) / step) + 1) * step - offset
    moments = [clock(round(tick * _MINUTE)) for tick in ticks.tolist()]
    ax.set_xticks(ticks, [np.datetime_as_string(moment, "m")[11:] for moment in moments])
    ax.set_xlabel("local time", color=MUTED)
