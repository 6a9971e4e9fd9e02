"""Draw the networks of a city that has no streets: an imported power grid, a water network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from twin.plot import base
from twin.plot.maps import legend_below, map_size
from twin.plot.services import infeeds
from twin.plot.style import BLACK, BLUE, MUTED, ORANGE, Caption, axes_or_new, frame_map, set_title

if TYPE_CHECKING:
    from twin.city import City

_Dashes = Literal["-", ":"]
_EDGES: tuple[tuple[str, str, str, _Dashes, str], ...] = (
    ("pipes", "node", BLUE, "-", "Pipe"),
    ("valves", "node", BLUE, ":", "Valve"),
    ("pumps", "node", BLACK, "-", "Pump"),
    ("lines", "bus", ORANGE, "-", "Power line"),
    ("transformers", "bus", BLACK, "-", "Transformer"),
)
"""Table, what it joins, colour, dashes and legend name, in drawing order."""

_MARKS = (
    ("junctions", "o", MUTED, 9.0, "Junction"),
    ("reservoirs", "s", BLUE, 80.0, "Reservoir"),
    ("tanks", "^", BLUE, 90.0, "Tank"),
    ("buses", "o", ORANGE, 16.0, "Bus"),
)


def network_map(city: City, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Draw lines and buses of a grid, pipes, pumps and tanks of a water network, and where they are fed.

    A scheme, whose places are no metres, has neither scale bar nor north arrow.
    """
    ax = axes_or_new(ax, map_size(city))
    frame_map(ax, base.extent(city), base.is_to_scale(city))
    handles: list[Any] = [handle for edge in _EDGES if city.rows(edge[0]) for handle in _edges(ax, city, edge)]
    for table, marker, colour, area, name in _MARKS:
        if city.rows(table):
            xy = base.places(city, table)
            style: dict[str, Any] = {"linewidths": 0.6, "edgecolors": "white", "zorder": 6.0}
            handles.append(ax.scatter(xy[:, 0], xy[:, 1], s=area, marker=marker, c=colour, label=name, **style))
    handles += infeeds(ax, city)
    legend_below(ax, handles)
    set_title(ax, city.title, caption)
    return ax


def _edges(ax: Axes, city: City, edge: tuple[str, str, str, _Dashes, str]) -> list[Line2D]:
    """Draw the rows of a table of edges, open ones dotted, and return their legend entries."""
    table, joins, colour, dashes, name = edge
    xy = base.places(city, *(("buses",) if joins == "bus" else base.WATER_NODES))
    ends = np.stack([city[table][f"from_{joins}"], city[table][f"to_{joins}"]], axis=1).astype(np.int64)
    closed = _closed(city, table)
    found = []
    sorts: tuple[tuple[Any, str, _Dashes, str], ...] = (
        (closed, colour, dashes, name), (~closed, MUTED, ":", f"{name}, open"),
    )  # fmt: skip
    for rows, shade, line, label in sorts:
        if rows.any():
            base.draw_lines(ax, list(xy[ends[rows]]), 1.5, shade, 4.0).set_linestyle(line)
            found.append(Line2D([], [], color=shade, linestyle=line, linewidth=2.0, label=label))
    return found


def _closed(city: City, table: str) -> NDArray[np.bool_]:
    """Say of each row of a table of edges whether it joins its ends; only lines can be open."""
    if "closed" in city[table]:
        return np.asarray(city[table]["closed"], dtype=bool)
    return np.ones(city.rows(table), dtype=bool)
