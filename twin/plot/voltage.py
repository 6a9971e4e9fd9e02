"""Draw the state of a power grid: what has power, voltages of buses, loadings of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from twin.plot import base
from twin.plot.maps import legend_below, map_size, same_length, water_handles
from twin.plot.places import PLACES, draw_places, name_places
from twin.plot.style import (
    BLACK,
    MUTED,
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
    from twin.city import City

_STEPS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.04)
_CLASSES = 6


def voltage_map(
    city: City,
    voltage: Floats,
    energised: NDArray[np.bool_] | None = None,
    ax: Axes | None = None,
    caption: Caption | None = None,
) -> Axes:
    """Draw the voltage of every bus that has power, and crosses where there is none.

    voltage    (n_bus,)  pu
    energised  (n_bus,)  has power; without it, buses of positive voltage

    Lines take the lower voltage of their ends; lines with an end in the dark are dashed, open ties
    dotted. A city without streets (an imported grid) is framed by its buses.
    Raises ValueError when the length is not the number of buses.
    """
    same_length(voltage, city, "buses")
    ax = axes_or_new(ax, map_size(city))
    voltage = np.asarray(voltage, dtype=np.float64)
    fed = voltage > 0 if energised is None else np.asarray(energised, dtype=bool)
    scale = _scale(voltage[fed])
    xy = base.places(city, "buses")
    if city.rows("nodes"):
        base.draw_ground(ax, city)
        base.draw_streets(ax, city)
    frame_map(ax, np.concatenate([base.extent(city), xy]), base.is_to_scale(city))
    dashed = _lines(ax, city, xy, voltage, fed, scale)
    _buses(ax, xy, voltage, fed, scale)
    if city.rows("substations"):
        name_places(ax, city, "substations", draw_places(ax, city, ("substations",), size=1.3))
    colour_bar(ax, scale, [f"{edge:.3f}" for edge in scale.edges])
    legend_below(ax, [*_handles(ax, city, xy, fed, dashed), *water_handles(city)])
    set_title(ax, scale.title, caption)
    return ax


def _scale(voltage: Floats) -> Scale:
    """Return six classes of equal width in round figures that hold all voltages."""
    low, high = (float(voltage.min()), float(voltage.max())) if len(voltage) else (0.95, 1.0)
    step = next((s for s in _STEPS if high <= np.floor(low / s + 1e-9) * s + _CLASSES * s), 0.05)
    first = float(np.floor(low / step + 1e-9) * step)
    edges = tuple(round(first + step * k, 4) for k in range(_CLASSES + 1))
    return Scale(
        "Voltage of the grid", "Voltage, per unit of the rated one", edges, shades("viridis", _CLASSES, 0.0, 0.9)
    )


def _lines(ax: Axes, city: City, xy: Floats, voltage: Floats, fed: NDArray[np.bool_], scale: Scale) -> bool:
    """Draw lines and transformers; return whether some have an end in the dark."""
    tables = [city[name] for name in ("lines", "transformers") if city.rows(name)]
    ends = np.concatenate([np.stack([t["from_bus"], t["to_bus"]], axis=1) for t in tables] or [np.zeros((0, 2), int)])
    closed = np.ones(len(ends), dtype=bool)
    closed[: city.rows("lines")] = city["lines"]["closed"] if city.rows("lines") else True
    live = closed & fed[ends].all(axis=1)
    classes = scale.rank(voltage[ends].min(axis=1, initial=9.0))
    order = np.flatnonzero(live)
    base.draw_lines(ax, list(xy[ends[order]]), 1.8, [scale.colours[classes[k]] for k in order], 5.0)
    dead = closed & ~live
    base.draw_lines(ax, list(xy[ends[~closed]]), 1.4, MUTED, 4.9).set_linestyle(":")
    base.draw_lines(ax, list(xy[ends[dead]]), 1.4, VERMILION, 4.95).set_linestyle("--")
    return bool(dead.any())


def _buses(ax: Axes, xy: Floats, voltage: Floats, fed: NDArray[np.bool_], scale: Scale) -> None:
    """Draw buses by voltage, smaller where there are many, and a cross on each without power."""
    size = float(np.clip(6000.0 / max(len(xy), 1), 6.0, 34.0))
    classes = scale.rank(voltage)
    ax.scatter(
        xy[fed, 0], xy[fed, 1], s=size, c=[scale.colours[k] for k in classes[fed]],
        linewidths=0.4, edgecolors="white", zorder=6.0, rasterized=True,
    )  # fmt: skip
    ax.scatter(
        xy[~fed, 0], xy[~fed, 1], s=1.6 * size, c=VERMILION, marker="X", linewidths=0.4, edgecolors="white", zorder=7.0
    )


def _handles(ax: Axes, city: City, xy: Floats, fed: NDArray[np.bool_], dashed: bool) -> list[Any]:
    """Return legend entries of what is on the map, infeeds among them."""
    found: list[Any] = []
    if not fed.all():
        found.append(Line2D([], [], color=VERMILION, marker="X", linestyle="", markersize=8, label="Without power"))
    if dashed:
        found.append(Line2D([], [], color=VERMILION, linestyle="--", label="Line in the dark"))
    if city.rows("lines") and not city["lines"]["closed"].all():
        found.append(Line2D([], [], color=MUTED, linestyle=":", label="Open tie"))
    if city.rows("substations"):
        _, marker, colour, _ = PLACES["substations"]
        found.append(Line2D([], [], color=colour, marker=marker, linestyle="", markersize=8, label="Substation"))
    if city.rows("sources"):
        rows = np.asarray(city["sources"]["bus"], dtype=np.int64)
        style: dict[str, Any] = {"marker": "D", "facecolors": "white", "edgecolors": BLACK, "linewidths": 1.8}
        found.append(ax.scatter(xy[rows, 0], xy[rows, 1], s=90.0, zorder=11, label="Infeed from outside", **style))
    return found
