"""Draw an emergency service: how far it reaches, where its units drive, what they do, when calls come.

The figures come from `twin.models.emergency.looks`; times are in s, places in m on the city's grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from twin.plot import base
from twin.plot.maps import legend_below, map_size
from twin.plot.style import (
    ARM_COLOURS,
    FAINT,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    SKY,
    VERMILION,
    Caption,
    Floats,
    Scale,
    axes_or_new,
    colour_bar,
    frame_map,
    set_title,
    shades,
)

if TYPE_CHECKING:
    import pandas as pd

    from twin.city import City

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTES = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0)
_REACH = Scale("Reach of the stations", "minutes from the nearest unit", _MINUTES, shades("YlGnBu_r", 6, 0.12, 0.88))
_WORK = (ORANGE, SKY, GREEN)
_HOUR = 3600.0


def isochrone_map(city: City, times: Floats, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Colour every street by the time at which its end is reached; return the axes.

    times  (n_node,)  s, inf where no way leads
    """
    ax = axes_or_new(ax, map_size(city))
    rows = base.one_per_street(city)
    ends = np.asarray(times, dtype=np.float64)[city["links"]["to_node"][rows]] / 60.0
    known = np.isfinite(ends)
    lines = base.segments(city)
    cut_off = [lines[k] for k in rows[~known].tolist()]
    base.draw_lines(ax, cut_off, 1.2, VERMILION, 3.1)
    colours = np.array(_REACH.colours)[_REACH.rank(ends[known])]
    base.draw_lines(ax, [lines[k] for k in rows[known].tolist()], 1.5, colours.tolist(), 3.0)
    handles = _sites(ax, city)
    if cut_off:
        handles.append(Line2D([], [], color=VERMILION, linewidth=2.0, label="not reached"))
    set_title(ax, _REACH.title, caption)
    frame_map(ax, base.places(city, "nodes"))
    colour_bar(ax, _REACH)
    legend_below(ax, handles)
    return ax


def trajectory_map(
    city: City, tracks: Mapping[str, Sequence[Floats]], ax: Axes | None = None, caption: Caption | None = None
) -> Axes:
    """Draw the ways units drove; a colour each, wider where driven more often; return the axes.

    tracks  name of a unit -> its ways, each (n, 2) m
    """
    ax = axes_or_new(ax, map_size(city))
    base.draw_streets(ax, city)
    handles = []
    for place, (name, ways) in enumerate(tracks.items()):
        colour = ARM_COLOURS[place % len(ARM_COLOURS)]
        base.draw_lines(ax, [np.asarray(way) + 18.0 * (place % 3 - 1) for way in ways], 1.7, colour, 5.0 + 0.1 * place)
        handles.append(Line2D([], [], color=colour, linewidth=2.4, label=name))
    handles += _sites(ax, city)
    set_title(ax, "Ways of the units", caption)
    frame_map(ax, base.places(city, "nodes"))
    legend_below(ax, handles)
    return ax


def _sites(ax: Axes, city: City) -> list[Any]:
    """Mark stations and hospitals, and return their entries of a legend."""
    handles = []
    for table, marker, colour in (("stations", "s", INK), ("hospitals", "P", VERMILION)):
        if city.rows(table):
            label = table.capitalize()
            handles += ax.plot(
                city[table]["x"], city[table]["y"], marker, color=colour, markersize=9, markeredgecolor=PAPER,
                linestyle="none", zorder=9.0, label=label,
            )  # fmt: skip
    return handles


def gantt_plot(spans: pd.DataFrame, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Draw what each unit did over time, a row a unit; return the axes.

    spans  unit, state, begin, end (s)
    """
    names = list(dict.fromkeys(spans["unit"].tolist()))
    ax = axes_or_new(ax, (11.0, 1.8 + 0.34 * max(len(names), 3)))
    row = {name: number for number, name in enumerate(sorted(names))}
    colours = _state_colours(spans)
    for state, colour in colours.items():
        part = spans[spans["state"] == state]
        begin, end = part["begin"].to_numpy() / _HOUR, part["end"].to_numpy() / _HOUR
        ax.barh([row[name] for name in part["unit"]], end - begin, left=begin, height=0.72, color=colour)
    ax.set_yticks(range(len(row)), [str(name) for name in row])
    ax.set_ylim(len(row) - 0.4, -0.6)
    ax.set_xlabel("hours since the start", color=MUTED)
    ax.set_ylabel("unit", color=MUTED)
    ax.tick_params(axis="y", length=0)
    _legend_of(ax, colours)
    set_title(ax, "What the units do", caption)
    return ax


def workload_plot(spans: pd.DataFrame, length: float, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Draw the share of time each unit works, by what it does; return the axes.

    spans   unit, state, begin, end (s)
    length  s over which shares are taken
    """
    names = sorted(dict.fromkeys(spans["unit"].tolist()))
    ax = axes_or_new(ax, (max(6.5, 2.0 + 0.5 * len(names)), 4.4))
    colours, floor = _state_colours(spans), np.zeros(len(names))
    for state, colour in colours.items():
        part = spans[spans["state"] == state]
        spent = (part["end"] - part["begin"]).groupby(part["unit"]).sum()
        share = np.array([float(spent.get(name, 0.0)) for name in names]) / length
        ax.bar(range(len(names)), share, bottom=floor, width=0.72, color=colour)
        floor += share
    mean = float(floor.mean()) if names else 0.0
    ax.axhline(mean, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.annotate(
        f"mean {mean:.0%}", (1.0, mean), (4, 0),
        xycoords=("axes fraction", "data"), textcoords="offset points", va="center", color=INK, annotation_clip=False,
    )  # fmt: skip
    ax.set_xticks(range(len(names)), [str(name) for name in names])
    ax.set_ylim(0.0, min(1.0, 1.25 * max(float(floor.max(initial=0.0)), 0.08)))
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.set_xlabel("unit", color=MUTED)
    ax.set_ylabel("share of time at work", color=MUTED)
    _legend_of(ax, colours)
    set_title(ax, "Workload of the units", caption)
    return ax


def arrival_plot(rates: Floats, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Draw how many calls come by weekday and hour as a heat map; return the axes.

    rates  (7, 24)  calls per hour, or calls, from Monday 0:00
    """
    ax = axes_or_new(ax, (10.5, 4.2))
    image = ax.imshow(np.asarray(rates, dtype=np.float64), aspect="auto", cmap="YlOrRd", vmin=0.0)
    ax.set_yticks(range(7), _DAYS)
    ax.set_xticks(np.arange(0, 24, 3) - 0.5, [f"{hour}:00" for hour in range(0, 24, 3)])
    ax.tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_xlabel("hour of the day", color=MUTED)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.015, aspect=16)
    bar.set_label("calls")
    bar.outline.set_visible(False)
    set_title(ax, "When calls come", caption)
    return ax


def _state_colours(spans: pd.DataFrame) -> dict[str, str]:
    """Return a colour for each state, in the order in which they first occur."""
    states = list(dict.fromkeys(spans.sort_values("begin")["state"].tolist()))
    return {state: (*_WORK, *ARM_COLOURS)[place % 8] for place, state in enumerate(states)}


def _legend_of(ax: Axes, colours: Mapping[str, str]) -> None:
    handles = [Patch(color=colour, label=state) for state, colour in colours.items()]
    if handles:
        below = -0.58 * ax.figure.dpi / float(ax.bbox.height)
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, below), ncols=len(handles), frameon=False)
    ax.grid(axis="x" if ax.yaxis_inverted() else "y", color=FAINT, linewidth=0.6)
    ax.set_axisbelow(True)
