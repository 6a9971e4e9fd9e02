"""Draw maps of what serves the city: where power was out, and how long help took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from twin.plot import base
from twin.plot.maps import backdrop, legend_below, map_size, same_length, water_handles
from twin.plot.places import PLACES, draw_places, name_places
from twin.plot.style import (
    BLACK,
    MUTED,
    SKY,
    VERMILION,
    Caption,
    Floats,
    Scale,
    axes_or_new,
    colour_bar,
    set_title,
    shades,
)

if TYPE_CHECKING:
    from twin.city import City

MINUTES = Scale(
    "Where the power was out",
    "Minutes without power",
    (0, 15, 30, 60, 120, 240, 480),
    shades("inferno_r", 6, 0.16, 0.9),
    quiet=0.0,
)
RESPONSE = Scale(
    "Emergency calls and how long help took",
    "Response time, minutes",
    (0, 4, 8, 12, 16, 24, 40),
    shades("viridis_r", 6, 0.05, 0.95),
)


def power_map(city: City, minutes: Floats, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Draw buses and feeders: supplied throughout, or how long they were without power.

    minutes  (n_bus,)  minutes without power; a boolean array is read as energised now
    """
    same_length(minutes, city, "buses")
    ax = axes_or_new(ax, map_size(city))
    now = np.asarray(minutes).dtype.kind == "b"
    out = np.where(minutes, 0.0, 1.0) if now else np.nan_to_num(np.asarray(minutes, dtype=np.float64))
    backdrop(ax, city)
    _feeders(ax, city, out, now)
    _buses(ax, city, out, now)
    name_places(ax, city, "substations", draw_places(ax, city, ("substations",), size=1.3))
    if not now:
        colour_bar(ax, MINUTES)
    legend_below(ax, [*_power_handles(city, now), *infeeds(ax, city), *water_handles(city)])
    set_title(ax, "Power supply" if now else MINUTES.title, caption)
    return ax


def _feeders(ax: Axes, city: City, out: Floats, now: bool) -> None:
    """Draw closed lines by the longer outage of their ends, and open ties dotted below them."""
    lines = city["lines"]
    ends = np.stack([lines["from_bus"], lines["to_bus"]], axis=1)
    xy = base.places(city, "buses")
    closed = np.flatnonzero(lines["closed"])
    closed = closed[np.argsort(out[ends[closed]].max(axis=1), kind="stable")]
    ties = base.draw_lines(ax, list(xy[ends[~np.asarray(lines["closed"], dtype=bool)]]), 1.3, MUTED, 4.9)
    ties.set_linestyle(":")
    base.draw_lines(ax, list(xy[ends[closed]]), 1.5, _outage_colours(out[ends[closed]].max(axis=1), now), 5.0)


def _buses(ax: Axes, city: City, out: Floats, now: bool) -> None:
    """Draw buses, larger where more customers hang on them, those that were out on top."""
    buses = city["buses"]
    customers = np.asarray(buses["customers"], dtype=np.float64)
    area = 12.0 + 46.0 * np.sqrt(customers / max(float(customers.max()), 1.0))
    for rows, zorder in ((out <= 0, 6.0), (out > 0, 7.0)):
        ax.scatter(
            buses["x"][rows], buses["y"][rows], s=area[rows] * (1.0 + 0.3 * (zorder > 6)), zorder=zorder,
            c=_outage_colours(out[rows], now), marker="o", linewidths=0.6, edgecolors="white", rasterized=True,
        )  # fmt: skip


def _outage_colours(out: Floats, now: bool) -> list[str]:
    """Return sky blue where there was always power, else the colour of the outage."""
    classes = MINUTES.rank(out)
    return [SKY if t <= 0 else VERMILION if now else MINUTES.colours[k] for t, k in zip(out, classes, strict=True)]


def infeeds(ax: Axes, city: City) -> list[Any]:
    """Mark the buses that the grid outside feeds, which may stand off the streets, and return their legend entry."""
    if not city.rows("sources"):
        return []
    rows = np.asarray(city["sources"]["bus"], dtype=np.int64)
    x, y = city["buses"]["x"][rows], city["buses"]["y"][rows]
    return [
        ax.scatter(
            x, y, s=110.0, marker="D", facecolors="white", edgecolors=BLACK, linewidths=1.8, zorder=11,
            label="Infeed from outside",
        )
    ]  # fmt: skip


def _power_handles(city: City, now: bool) -> list[Line2D]:
    """Return legend entries of the power map."""
    dot: dict[str, Any] = {"marker": "o", "markersize": 8, "markeredgecolor": "white"}
    _, marker, colour, _ = PLACES["substations"]
    last = [Line2D([], [], color=colour, marker=marker, linestyle="", markersize=8, label="Substation")]
    return [
        Line2D([], [], color=SKY, linewidth=1.6, label="Supplied" if now else "Supplied throughout", **dot),
        Line2D([], [], color=VERMILION if now else MINUTES.colours[3], linewidth=1.6, label="Without power", **dot),
        Line2D([], [], color=MUTED, linestyle=":", label="Open tie"),
        *(last if city.rows("substations") else []),
    ]


def call_map(
    city: City, calls: Mapping[str, NDArray[Any]], ax: Axes | None = None, caption: Caption | None = None
) -> Axes:
    """Draw every emergency call by its response time; late ones stand out as triangles.

    How soon help must come depends on the priority of a call, so a late call may have a
    shorter response than one in time.

    calls  columns node (row), response (s, nan while nobody came) and late (flag); where known
           also end: a call "transferred" was handed on to others, so that no unit had to come

    A number beside marks says how many calls came from the same junction.
    """
    ax = axes_or_new(ax, map_size(city))
    backdrop(ax, city)
    node = np.asarray(calls["node"], dtype=np.int64)
    minutes = np.asarray(calls["response"], dtype=np.float64) / 60.0
    late = np.asarray(calls["late"], dtype=bool)
    come = np.isfinite(minutes) & (minutes >= 0)
    ends = np.asarray(calls["end"] if "end" in calls else [""] * len(node))
    handed = ~come & (ends == "transferred")
    xy = base.places(city, "nodes")[node]
    scale = RESPONSE
    for rows, marker, area, edge in (
        (come & ~late, "o", 70.0, "white"), (come & late, "v", 150.0, BLACK),
    ):  # fmt: skip
        colours = [scale.colours[k] for k in scale.rank(minutes[rows])]
        ax.scatter(
            xy[rows, 0], xy[rows, 1], s=area, marker=marker, c=colours, edgecolors=edge, linewidths=1.0, zorder=9
        )
    missed = ~come & ~handed
    ax.scatter(xy[missed, 0], xy[missed, 1], s=90, marker="x", c=VERMILION, linewidths=2.4, zorder=10)
    ax.scatter(xy[handed, 0], xy[handed, 1], s=38, marker="s", facecolors="none", edgecolors=MUTED, zorder=8.5)
    _count_stacked(ax, node, xy)
    draw_places(ax, city, ("stations", "hospitals"), size=0.8)
    colour_bar(ax, scale)
    counts = (int((come & ~late).sum()), int((come & late).sum()), int(missed.sum()), int(handed.sum()))
    legend_below(ax, [*_call_handles(ax, counts), *water_handles(city)])
    set_title(ax, scale.title, caption)
    return ax


def _count_stacked(ax: Axes, node: NDArray[np.int64], xy: Floats) -> None:
    """Write beside marks that lie on one another how many they are."""
    _, first, counts = np.unique(node, return_index=True, return_counts=True)
    for row, count in zip(first[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
        ax.annotate(
            str(count), xy[row], (6.0, 4.0), textcoords="offset points", fontsize=10.0, color=BLACK, zorder=11,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip


def _call_handles(ax: Axes, counts: tuple[int, int, int, int]) -> list[Any]:
    """Return legend entries: calls in time, late, not reached, handed on, then the places."""
    grey: dict[str, Any] = {"linestyle": "", "color": "#9aa0a8"}
    looks = (("o", 8, "white", "In time"), ("v", 11, BLACK, "Late"))
    handles: list[Any] = [
        Line2D(
            [], [], marker=marker, markersize=size, markeredgecolor=edge, label=f"{name} for its priority ({n})", **grey
        )
        for (marker, size, edge, name), n in zip(looks, counts, strict=False)
    ]
    if counts[2]:
        cross = Line2D([], [], linestyle="", marker="x", color=VERMILION, markersize=8, markeredgewidth=2.4)
        cross.set_label(f"Not reached at the end ({counts[2]})")
        handles.append(cross)
    if counts[3]:
        square = Line2D([], [], linestyle="", marker="s", color=MUTED, markerfacecolor="none", markersize=6)
        square.set_label(f"Handed on to others ({counts[3]})")
        handles.append(square)
    return [*handles, *ax.get_legend_handles_labels()[0]]
