"""Draw maps of a city and of what happened in it; every function takes and returns `ax`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from twin.plot import base
from twin.plot.places import draw_places, name_places
from twin.plot.style import (
    INK,
    PAPER,
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

MAP_SIZE = (7.2, 9.4)
"""Greatest width and height of a map picture, inches."""

DELAY = Scale(
    "How much slower than on free streets", "Travel time ÷ free-flow time", (1.0, 1.15, 1.3, 1.6, 2.0, 3.0, 5.0),
    shades("inferno_r", 6, 0.14, 0.9), quiet=1.15,
)  # fmt: skip
SPEED = Scale(
    "How fast traffic moved", "Mean speed, km/h", (0, 10, 20, 30, 40, 50, 60), shades("plasma", 6, 0.0, 0.92),
    worst_low=True,
)  # fmt: skip
FLOW = Scale(
    "Where traffic flowed",
    "Mean flow, vehicles per hour",
    (0, 50, 100, 200, 400, 800, 1600),
    shades("viridis_r", 6, 0.1, 1.0),
    quiet=1.0,
)
DEPTH = Scale(
    "How deep the water stood",
    "Deepest water on the street, m (0.3 m closes it)",
    (0.0, 0.05, 0.15, 0.3, 0.6, 1.0, 2.0),
    shades("YlGnBu", 6, 0.35, 1.0),
    quiet=0.01,
)

_LESS = ("#0b4f8a", "#3f8ac4", "#a9cfea")
_MORE = ("#f7c48d", "#dd7a1f", "#943b00")


def city_map(city: City, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
    """Draw the city: ground, people, streets by class, and the places that serve them."""
    ax = axes_or_new(ax, map_size(city))
    base.draw_ground(ax, city)
    if city.rows("zones") >= 3 and city["zones"]["population"].sum() > 0:
        _people(ax, city)
    base.draw_streets(ax, city, faint=False)
    set_title(ax, city.title, caption)
    frame_map(ax, base.places(city, "nodes"))
    name_places(ax, city, "hospitals", draw_places(ax, city))
    handles = [*_street_handles(city), *water_handles(city), *ax.get_legend_handles_labels()[0]]
    legend_below(ax, handles)
    return ax


def _people(ax: Axes, city: City) -> None:
    """Tint the zones by population density and say so in a colour bar."""
    cells = base.zone_cells(city)
    top = float(np.percentile(cells["density"], 88)) or 1.0
    step = _round_up(top / 4.0)
    scale = Scale(
        "Inhabitants",
        "Inhabitants per km²",
        tuple(step * k for k in range(5)),
        ("#fbf4e2", "#f5e3bd", "#ecca8e", "#dfad5c"),
    )
    cmap, norm = scale.norm()
    cells.plot(ax=ax, column="density", cmap=cmap, norm=norm, edgecolor="white", linewidth=0.8, zorder=0.4, aspect=None)
    colour_bar(ax, scale, [*(f"{edge:,.0f}" for edge in scale.edges[:-1]), f"{scale.edges[-1]:,.0f}+"])


def _round_up(value: float) -> float:
    """Return the smallest 1, 2, 2.5 or 5 times a power of ten that is not below `value`."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-9)))
    return float(min(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= value * (1 - 1e-9)))


def link_map(
    city: City, value: Floats, scale: Scale = DELAY, ax: Axes | None = None, caption: Caption | None = None,
    closed: ArrayLike | None = None,
) -> Axes:  # fmt: skip
    """Draw a quantity of every link, the worst classes on top and widest; each direction on its side of the street.

    value   (n_link,)  in the unit of the scale's label; nan is drawn as a plain street
    closed  (n_link,)  links that are dashed along the middle of their street
    Raises ValueError when the length is not the number of links.
    """
    same_length(value, city, "links")
    shut = np.zeros(len(value), dtype=bool) if closed is None else np.asarray(closed, dtype=bool)
    same_length(shut, city, "links")
    ax = axes_or_new(ax, map_size(city))
    backdrop(ax, city, grey=scale is DEPTH)
    _quantity(ax, city, np.asarray(value, dtype=np.float64), scale)
    _facilities(ax, city, _closed(ax, city, np.flatnonzero(shut)), grey=scale is DEPTH)
    colour_bar(ax, scale)
    set_title(ax, scale.title, caption)
    return ax


def map_size(city: City) -> tuple[float, float]:
    """Return width and height (inches) of a new figure that a map of the city fills."""
    xy = base.extent(city)
    if not len(xy):
        return MAP_SIZE
    wide, high = np.maximum(np.ptp(xy, axis=0), 1.0) + 0.04 * max(np.ptp(xy, axis=0).max(), 200.0) * np.array([2, 3.6])
    return MAP_SIZE[0], float(np.clip((MAP_SIZE[0] - 0.3) * high / wide + 1.9, 4.0, MAP_SIZE[1]))


def same_length(value: Any, city: City, table: str) -> None:
    """Raise ValueError when there is not one value per row of a city table."""
    if len(value) != city.rows(table):
        raise ValueError(f"{len(value)} values for {city.rows(table)} {table} of city {city.name}")


def backdrop(ax: Axes, city: City, grey: bool = False) -> None:
    """Draw water (in grey where blue means something else) and plain streets, if any, and set the frame."""
    if city.rows("nodes"):
        base.draw_ground(ax, city, grey)
        base.draw_streets(ax, city)
    frame_map(ax, base.extent(city), base.is_to_scale(city))


def _facilities(ax: Axes, city: City, handles: Sequence[Line2D] = (), grey: bool = False) -> None:
    """Mark hospitals and ambulance stations, small, with a legend of them, of the water and of what else is drawn."""
    draw_places(ax, city, ("stations", "hospitals"), size=0.75)
    legend_below(ax, [*ax.get_legend_handles_labels()[0], *handles, *water_handles(city, grey)])


def _closed(ax: Axes, city: City, rows: base.Rows) -> list[Line2D]:
    """Dash links, each street once, and return the legend entry of that, none without any."""
    ends = np.sort([city["links"]["from_node"][rows], city["links"]["to_node"][rows]], axis=0)
    lines, once = base.segments(city), rows[np.unique(ends, axis=1, return_index=True)[1]]
    look: dict[str, Any] = {"color": INK, "linewidth": 1.8, "linestyle": (0, (2.6, 2.0))}
    base.draw_lines(ax, [lines[k] for k in once], 3.0, PAPER, 4.2)
    drawn = base.draw_lines(ax, [lines[k] for k in once], look["linewidth"], look["color"], 4.3)
    drawn.set_linestyle(look["linestyle"])
    drawn.set_capstyle("butt")
    return [Line2D([], [], label="Closed", **look)] if len(rows) else []


def _quantity(ax: Axes, city: City, value: Floats, scale: Scale) -> None:
    """Draw the links above the quiet limit, coloured and widened by class, worst last."""
    shown = np.flatnonzero(value > scale.quiet)
    shown = shown[np.argsort(-value[shown] if scale.worst_low else value[shown], kind="stable")]
    emphasis = np.linspace(1.0, 1.7, len(scale.colours))[scale.severity(value[shown])]
    widths = (base.RANK_WIDTH[base.ranks(city)][shown] * 0.5 + 0.8) * emphasis
    _draw_directions(ax, city, shown, widths, [scale.colours[k] for k in scale.rank(value[shown])])


def _draw_directions(ax: Axes, city: City, rows: base.Rows, widths: Floats, colours: list[str]) -> None:
    """Draw links in the order of rows, each by half its width to the side on which it is driven.

    widths  (n_rows,)  points
    """
    lines = base.segments(city)
    side = -1.0 if city.driving_side == "left" else 1.0
    metres_per_point = np.ptp(ax.get_xlim()) / (ax.get_window_extent().width * 72 / ax.figure.dpi)
    shifted = base.beside([lines[k] for k in rows], side * 0.5 * widths * metres_per_point)
    base.draw_lines(ax, shifted, widths, colours, 4.0)


def difference_map(
    city: City, difference: Floats, label: str, ax: Axes | None = None, caption: Caption | None = None,
    arms: tuple[str, str] = ("A", "B"),
) -> Axes:  # fmt: skip
    """Draw a difference B minus A of every link: blue is less in B, orange is more.

    difference  (n_link,)  B minus A, in the unit that `label` names
    label       text below the colour bar; a line of its own may say what its ends mean
    arms        names of A and B
    """
    same_length(difference, city, "links")
    ax = axes_or_new(ax, map_size(city))
    difference = np.nan_to_num(np.asarray(difference, dtype=np.float64))
    scale = difference_scale(difference, label, f"Where {arms[1]} differs from {arms[0]}")
    backdrop(ax, city)
    shown = np.flatnonzero(np.abs(difference) > scale.edges[4])
    shown = shown[np.argsort(np.abs(difference[shown]), kind="stable")]
    rank = scale.rank(difference[shown])
    _draw_directions(ax, city, shown, 1.1 + 0.6 * np.abs(rank - 3), [scale.colours[k] for k in rank])
    _facilities(ax, city)
    colour_bar(ax, scale, [f"{edge:+g}".replace("-", "−") for edge in scale.edges])
    set_title(ax, scale.title, caption)
    return ax


def difference_scale(difference: Floats, label: str, title: str) -> Scale:
    """Return seven classes symmetric about zero, whose ends hold the largest differences."""
    size = np.abs(difference[difference != 0])
    top = _round_up(float(np.percentile(size, 98))) if len(size) else 1.0
    limits = (0.1 * top, 0.3 * top, 0.6 * top, top)
    edges = tuple(float(f"{edge:.3g}") for edge in (*(-limit for limit in reversed(limits)), *limits))
    return Scale(title, label, edges, (*_LESS, "#d9dbde", *_MORE))


def _street_handles(city: City) -> list[Line2D]:
    """Return legend entries of the street classes that the city has."""
    return [
        Line2D([], [], color=base.RANK_COLOUR[k], linewidth=base.RANK_WIDTH[k], label=base.RANK_NAME[k])
        for k in sorted(set(base.ranks(city).tolist()), reverse=True)
    ]


def water_handles(city: City, grey: bool = False) -> list[Any]:
    """Return legend entries of river and lowland where the city has them."""
    from matplotlib.patches import Patch

    handles: list[Any] = []
    river, lowland = base.ground_colours(grey)
    if city.rows("river"):
        handles.append(Line2D([], [], color=river, linewidth=6, label="River"))
    if base.has_lowland(city):
        handles.append(Patch(color=lowland, label="Low ground"))
    return handles


def legend_below(ax: Axes, handles: list[Any]) -> None:
    """Put a legend of many entries below the map, where it hides nothing."""
    if handles:
        ax.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.005), ncols=3, frameon=False,
            columnspacing=1.4, handletextpad=0.6, labelcolor=INK,
        )  # fmt: skip
