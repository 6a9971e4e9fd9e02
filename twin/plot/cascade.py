"""Draw how a failure spread: a timeline with one lane per sector, and resilience curves with the loss shaded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from twin.plot.series import Curve, Moments
from twin.plot.style import ARM_COLOURS, BLUE, FAINT, INK, MUTED, PAPER, VERMILION, Caption, axes_or_new, set_title

Array = NDArray[Any]

LANES: Mapping[str, Mapping[str, bool]] = {
    "Hazard": {
        "flood": True, "rain": True, "drains_full": True, "drain_blockage": True, "storm": True, "windstorm": True,
        "earthquake": True, "heat_wave": True, "ageing": True, "blackout": True, "fire": True, "surge": True,
        "mass_casualty": True, "site_failure": True, "attack_pumps": True, "attack_valves": True,
        "attack_sensors": True, "drain_cleared": False,
    },
    "Streets": {
        "road_flooded": True, "road_closure": True, "road_damage": True, "lane_closure": True, "speed_limit": True,
        "gridlock": True, "road_drained": False, "road_closure_end": False, "road_repair": False,
        "lane_closure_end": False, "speed_limit_end": False, "gridlock_relaxed": False,
    },
    "Power": {
        "substation_wet": True, "substation_trip": True, "substation_failure": True, "line_failure": True,
        "overcurrent_trip": True, "breaker_trip": True, "line_overload": True, "voltage_low": True,
        "voltage_high": True, "power_unsolved": True, "outage": True, "supply_back": False, "power_repair": False,
        "substation_dry": False, "line_relieved": False, "voltage_normal": False,
    },
    "Backup": {"battery_empty": True},
    "Telecom": {"site_dead": True, "feed_silent": True, "site_back": False, "feed_back": False},
    "Signals": {"signal_dark": True, "signal_lit": False},
    "Water": {
        "pipe_burst": True, "leak": True, "pump_failure": True, "pump_cut_out": True, "pump_stopped": True,
        "water_unsolved": True, "pressure_lost": True, "hydrant_dry": True, "pump_started": False,
        "pump_cut_in": False, "pressure_back": False, "hydrant_back": False, "pipe_repair": False,
        "pump_repair": False, "leak_repair": False, "isolate": False,
    },
    "Hospitals": {"hospital_dry": True, "diversion": True, "hospital_water_back": False, "diversion_ends": False},
    "Premises": {"premises_closed": True, "premises_opened": False},
    "Response": {
        "fire_stalls": True, "building_lost": True, "call_late": True, "fire_fought": False, "fire_out": False,
    },
    "Crews": {"crew_on_site": False, "repair_done": False, "repair_broken_off": True},
}  # fmt: skip
"""Lane -> kinds of events shown in it; True for a loss, False for a recovery or help."""

PLANNED = "Other events of the scenario"
"""Lane of kinds that a scenario gives and no other lane shows, where nothing in the run caused them."""

_NAMES = (*LANES, PLANNED)
_LOSSES = frozenset(kind for shown in LANES.values() for kind, lost in shown.items() if lost)
_ENDS = ("fire_stalls", "hydrant_dry", "hospital_dry", "call_late")
"""What the chain of causes is told of: the first kind behind whose first event there is a loss."""
_LETTERS = 110.0
"""Letters of a note that fit across a timeline of 900 pixels."""
_MOST_LINES = 400
_LOSS_OFFSET, _HELP_OFFSET = -0.02, -0.26
_LOOKS = (
    (VERMILION, "o", _LOSS_OFFSET, "loss"),
    (BLUE, "^", _HELP_OFFSET, "recovery or help"),
    (INK, "D", _LOSS_OFFSET, "other event"),
)
"""Colour, marker, place in the lane and legend name of losses, of help, and of what is neither."""
_LEAST_SPAN = np.timedelta64(900, "s")


def cascade_timeline(
    events: Mapping[str, Array], parents: Mapping[str, Array], moments: Moments, ax: Axes | None = None,
    caption: Caption | None = None, planned: Collection[str] = (),
) -> Axes:  # fmt: skip
    """Draw the events of a run in lanes of their sectors, with lines from cause to consequence across lanes.

    events   kind, target, value, ...: one value an event, by id
    parents  event, parent: pairs of ids
    moments  (n_event,)  local time of each event
    planned  kinds of events that a scenario gives
    """
    ax = axes_or_new(ax, (10.0, 5.2))
    kinds = np.asarray(events["kind"]).astype(str)
    lane, loss = _lanes(kinds, _roots(parents, len(kinds)), planned)
    used = [name for row, name in enumerate(_NAMES) if (lane == row).any()]
    place = {row: len(used) - 1 - used.index(name) for row, name in enumerate(_NAMES) if name in used}
    height = np.array([place.get(row, np.nan) for row in lane.tolist()])
    _draw_lanes(ax, used)
    led = _draw_causes(ax, lane, height, parents, moments)
    told = _draw_chain(ax, kinds, height, parents, moments)
    marks = [
        _draw_marks(ax, rows, height, moments, look)
        for rows, look in zip(_sorts(lane, loss), _LOOKS, strict=True)
        if rows.any() or look is not _LOOKS[-1]
    ]
    _frame_times(ax, moments)
    _label_firsts(ax, kinds, lane, height, moments)
    ax.xaxis.set_major_formatter(_clock())
    if led:
        marks.append(Line2D([], [], color=MUTED, linewidth=0.8, label="led to"))
    if told:
        marks.append(Line2D([], [], color=INK, linewidth=2.0, label=f"chain of causes: {told}"))
    below = -0.5 / float(ax.figure.bbox.height / ax.figure.dpi)
    ax.legend(handles=marks, loc="upper center", bbox_to_anchor=(0.5, below), ncols=len(marks), frameon=False)
    set_title(ax, "How the failure spread", caption)
    return ax


def count_lanes(events: Mapping[str, Array], parents: Mapping[str, Array], planned: Collection[str] = ()) -> int:
    """Return how many lanes the timeline of these events has."""
    kinds = np.asarray(events["kind"]).astype(str)
    lane, _ = _lanes(kinds, _roots(parents, len(kinds)), planned)
    return len(np.unique(lane[lane >= 0]))


def _roots(parents: Mapping[str, Array], count: int) -> NDArray[np.bool_]:
    """Say of each event whether nothing caused it."""
    child, parent = (np.asarray(parents[name], dtype=np.int64) for name in ("event", "parent"))
    out = np.ones(count, dtype=bool)
    out[child[(child >= 0) & (parent >= 0)]] = False
    return out


def _sorts(lane: Array, loss: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Return which events are losses, which help, and which are neither."""
    other = lane == len(LANES)
    return (lane >= 0) & loss & ~other, (lane >= 0) & ~loss & ~other, other


def _draw_marks(ax: Axes, rows: Array, height: Array, moments: Moments, look: tuple[str, str, float, str]) -> Line2D:
    """Draw events of one sort and return their legend entry."""
    colour, marker, offset, label = look
    ax.scatter(moments[rows], height[rows] + offset, s=26, c=colour, marker=marker, linewidths=0, alpha=0.75, zorder=3)
    return Line2D([], [], marker=marker, color=colour, linestyle="", label=label)


def _frame_times(ax: Axes, moments: Moments) -> None:
    """Give the axis a quarter of an hour about events that are all of one instant."""
    if len(moments) and moments.min() == moments.max():
        ax.set_xlim(moments[0] - _LEAST_SPAN / 2, moments[0] + _LEAST_SPAN / 2)


def _clock() -> Any:
    """Return a formatter of local times of day."""
    made: Any = dates.DateFormatter
    return made("%H:%M")


def _lanes(
    kinds: Array, roots: NDArray[np.bool_], planned: Collection[str]
) -> tuple[Array, NDArray[np.bool_]]:  # fmt: skip
    """Return lane of each event (-1 for none) and whether it is a loss."""
    where = {kind: (row, lost) for row, shown in enumerate(LANES.values()) for kind, lost in shown.items()}
    other = {kind: (len(LANES), False) for kind in planned if kind not in where}
    found = [
        where.get(kind) or (other.get(kind) if root else None) or (-1, False)
        for kind, root in zip(kinds.tolist(), roots.tolist(), strict=True)
    ]
    return np.array([row for row, _ in found], dtype=np.int64), np.array([lost for _, lost in found], dtype=bool)


def _draw_lanes(ax: Axes, names: Sequence[str]) -> None:
    for row in range(len(names)):
        ax.axhspan(row - 0.45, row + 0.45, color=FAINT, alpha=0.22 if row % 2 else 0.4, linewidth=0, zorder=0)
    ax.set_yticks(range(len(names)), list(reversed(names)))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.tick_params(axis="y", length=0)


def _draw_causes(ax: Axes, lane: Array, height: Array, parents: Mapping[str, Array], moments: Moments) -> bool:
    """Draw lines from causes to consequences in other lanes, if many the first; say whether there is one."""
    child, parent = (np.asarray(parents[name], dtype=np.int64) for name in ("event", "parent"))
    known = (child >= 0) & (parent >= 0)
    child, parent = child[known], parent[known]
    across = (lane[child] >= 0) & (lane[parent] >= 0) & (lane[child] != lane[parent])
    for one, other in zip(child[across][:_MOST_LINES].tolist(), parent[across][:_MOST_LINES].tolist(), strict=True):
        ax.plot(moments[[other, one]], height[[other, one]], color=MUTED, linewidth=0.6, alpha=0.5, zorder=1)
    return bool(across.any())


def _draw_chain(ax: Axes, kinds: Array, height: Array, parents: Mapping[str, Array], moments: Moments) -> str:
    """Draw the losses that led to the first event of `_ENDS` as one strong line; return its kind in words, or ""."""
    behind: dict[int, list[int]] = {}
    for child, parent in zip(parents["event"].tolist(), parents["parent"].tolist(), strict=True):
        behind.setdefault(child, []).append(parent)
    firsts = [int(np.flatnonzero(kinds == kind)[0]) for kind in _ENDS if (kinds == kind).any()]
    path = next((found for found in (_losses_behind(one, kinds, behind) for one in firsts) if len(found) > 1), [])
    if not path:
        return ""
    ax.plot(moments[path], height[path] + _LOSS_OFFSET, color=INK, linewidth=2.0, zorder=2, solid_joinstyle="round")
    return str(kinds[path[0]]).replace("_", " ")


def _losses_behind(event: int, kinds: Array, behind: Mapping[int, Sequence[int]]) -> list[int]:
    """Return an event and the losses that led to it, back to the first."""
    path = [event]
    while able := [cause for cause in behind.get(path[-1], ()) if cause >= 0 and kinds[cause] in _LOSSES]:
        path.append(max(able, key=lambda cause: (kinds[cause] != "fire", cause)))
    return path


def _label_firsts(ax: Axes, kinds: Array, lane: Array, height: Array, moments: Moments) -> None:
    """Name the first event of each kind of loss at the top of its lane; names that would meet become one."""
    span = max(moments[lane >= 0].max() - moments[lane >= 0].min(), _LEAST_SPAN) if (lane >= 0).any() else _LEAST_SPAN
    letter = float(_LETTERS * (ax.get_window_extent().width / 900.0)) or 1.0
    notes: dict[int, list[tuple[Any, str, Any]]] = {}
    seen: set[str] = set()
    for row in np.flatnonzero(lane >= 0).tolist():
        kind = str(kinds[row])
        if kind in seen or (kind not in _LOSSES and lane[row] != len(LANES)):
            continue
        seen.add(kind)
        words, mine = kind.replace("_", " "), notes.setdefault(int(lane[row]), [])
        if mine and moments[row] < mine[-1][2]:
            begin, words = mine[-1][0], f"{mine.pop()[1]}, {words}"
        else:
            begin = moments[row]
        end = begin + span * ((len(words) + 2) / letter)
        mine.append((begin, words, end))
    for number, found in notes.items():
        top = height[lane == number][0] + 0.3
        for begin, words, _ in found:
            ax.annotate(
                words, (begin, top), (-3.0, 0.0), textcoords="offset points", fontsize=10.0, color=INK, va="center",
                zorder=4, path_effects=[withStroke(linewidth=3.0, foreground=PAPER)],
            )  # fmt: skip


def resilience_plot(
    curves: Sequence[Curve], label: str, ax: Axes | None = None, caption: Caption | None = None
) -> Axes:
    """Draw the mean share of service of each arm over time, with the lost area shaded and its size told.

    Of more than two arms only the loss of the first is shaded: areas over one another cannot be read.

    curves  shares, 1 for full service
    label   whose service

    The area above the curve is the loss of resilience of Bruneau et al., Earthquake Spectra 19 (2003) 733-752.
    """
    ax = axes_or_new(ax, (8.5, 3.2))
    for number, curve in enumerate(curves):
        colour, dashes = ARM_COLOURS[number % len(ARM_COLOURS)], _DASHES[number % len(_DASHES)]
        mean = np.nanmean(curve.values, axis=0)
        if len(curves) <= _SHADED or number == 0:
            ax.fill_between(curve.time, mean, 1.0, color=colour, alpha=0.15, linewidth=0, step="post")
        told = f"{curve.arm}: {lost_hours(curve):.2f} h"
        ax.step(curve.time, mean, where="post", color=colour, linestyle=dashes, linewidth=2.0, label=told)
    ax.set_ylim(None, 1.02)
    ax.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    ax.xaxis.set_major_formatter(_clock())
    ax.set_ylabel("share served")
    area = Patch(color=ARM_COLOURS[0] if len(curves) != _SHADED else MUTED, alpha=0.25, linewidth=0, label="the loss")
    ax.legend(
        handles=[*ax.get_legend_handles_labels()[0], area], loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False,
        title="Lost, in hours\nof full service", alignment="left",
    )  # fmt: skip
    set_title(ax, label, caption)
    return ax


_SHADED = 2
_DASHES: Any = ("-", (0, (5, 1.5)), "-.", (0, (1, 1)), (0, (8, 1.5, 1, 1.5, 1, 1.5)), (0, (2.5, 1.5)), "-")
"""Seven dashes and five colours: no two of 35 arms look alike."""


def lost_hours(curve: Curve) -> float:
    """Return the hours of full service that the mean of a curve lacks: the shaded area of its steps."""
    mean = np.nanmean(curve.values, axis=0)
    hours = (curve.time - curve.time[0]) / np.timedelta64(1, "h")
    return float(np.sum((1.0 - mean[:-1]) * np.diff(hours)))


def resilience_figure(panels: Mapping[str, Sequence[Curve]], caption: Caption | None = None) -> Figure:
    """Return a figure outside pyplot with one resilience plot a panel, one below the other."""
    made = Figure(figsize=(9.2, 0.6 + 3.0 * len(panels)), layout="constrained")
    axes = np.atleast_1d(made.subplots(len(panels), 1, sharex=True))
    for number, (label, curves) in enumerate(panels.items()):
        resilience_plot(curves, label, axes[number], caption if number == 0 else None)
    return made
