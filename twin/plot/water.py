"""Draw a water network: pressures on a map, and tank levels over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from twin.plot import base
from twin.plot.maps import legend_below
from twin.plot.style import ARM_COLOURS, Caption, Scale, axes_or_new, colour_bar, frame_map, set_title

if TYPE_CHECKING:
    from twin.city import City

Floats = NDArray[np.float64]

_PRESSURE = Scale(
    "Water pressure", "Pressure, m of water", (0.0, 7.0, 14.069, 30.0, 60.0, 120.0),
    ("#7f2704", "#e6550d", "#fdbe85", "#6baed6", "#08519c"),
)  # fmt: skip
_CUT_OFF = "#000000"
_LINES = ("-", "--", ":", "-.")


def pressure_map(
    city: City, pressure: Floats, connected: NDArray[np.bool_], ax: Axes | None = None, title: str = "Water pressure",
    caption: Caption | None = None,
) -> Axes:  # fmt: skip
    """Draw junctions by pressure (m), cut-off ones as black crosses, and return the axes.

    pressure   (n_junction,)  m
    connected  (n_junction,)  joined to a source

    The third bound, 14.069 m (20 psi), is the least that must remain in mains while hydrants are used.
    """
    ax = axes_or_new(ax, (8.0, 6.4))
    places = base.places(city, *base.WATER_NODES)
    _draw_pipes(ax, city, places)
    colours, norm = _PRESSURE.norm()
    count = city.rows("junctions")
    size = float(np.clip(6000 / count, 6, 60))
    own = places[:count]
    ax.scatter(
        own[connected, 0],
        own[connected, 1],
        c=pressure[connected],
        cmap=colours,
        norm=norm,
        s=size,
        zorder=3,
        linewidths=0,
    )
    if not connected.all():
        cut = own[~connected]
        ax.scatter(cut[:, 0], cut[:, 1], c=_CUT_OFF, marker="x", s=2 * size, zorder=4, label="no water reaches")
    for table, marker, name in (("reservoirs", "s", "reservoir"), ("tanks", "^", "tank")):
        rows = _span(city, table)
        if rows.start == rows.stop:
            continue
        x, y = places[rows, 0], places[rows, 1]
        ax.scatter(x, y, marker=marker, s=90, c="white", edgecolors="black", zorder=5, label=name)
    colour_bar(ax, _PRESSURE, ["0", "7", "14 (20 psi)", "30", "60", "120+"])
    legend_below(ax, ax.get_legend_handles_labels()[0])
    frame_map(ax, places, base.is_to_scale(city))
    set_title(ax, title, caption)
    return ax


def tank_levels(
    hours: Sequence[float], levels: Mapping[str, Sequence[float]], ax: Axes | None = None, title: str = "Tank levels"
) -> Axes:
    """Draw the level (m) of each tank over hours since the start, and return the axes."""
    ax = axes_or_new(ax, (9.2, 4.2))
    for i, (name, level) in enumerate(levels.items()):
        colour, line = ARM_COLOURS[i % len(ARM_COLOURS)], _LINES[i // len(ARM_COLOURS) % len(_LINES)]
        ax.plot(hours, level, color=colour, linestyle=line, linewidth=1.8, label=name)
    ax.set_xlabel("hours since the start")
    ax.set_ylabel("water over the bottom (m)")
    ax.set_ylim(bottom=0)
    ax.set_xlim(min(hours), max(hours))
    ax.grid(alpha=0.3)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    set_title(ax, title)
    return ax


def _span(city: City, table: str) -> slice:
    """Return the water nodes of a table."""
    first = city.rows("junctions") + (city.rows("reservoirs") if table == "tanks" else 0)
    return slice(first, first + city.rows(table))


def _draw_pipes(ax: Axes, city: City, places: Floats) -> None:
    """Draw pipes as grey lines, wider ones wider, and pumps and valves as thin dark ones."""
    pipes = city["pipes"]
    ends = places[np.stack([pipes["from_node"], pipes["to_node"]], axis=1)]
    widths: Any = 0.6 + 3.0 * pipes["diameter"] / max(float(np.max(pipes["diameter"])), 1e-9)
    ax.add_collection(LineCollection(list(ends), linewidths=widths, colors="#b9bdc4", zorder=1))
    for name in ("pumps", "valves"):
        if city.rows(name):
            ends = places[np.stack([city[name]["from_node"], city[name]["to_node"]], axis=1)]
            ax.add_collection(LineCollection(list(ends), linewidths=1.2, colors="#555b65", zorder=2))
