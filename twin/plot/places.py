"""Mark and name the places that people know on a map, so that none hides another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from twin.plot.base import places
from twin.plot.style import BLACK, BLUE, INK, ORANGE, PURPLE, VERMILION, Floats, plain

if TYPE_CHECKING:
    from twin.city import City

PLACES: dict[str, tuple[str, str, str, float]] = {
    "sites": ("Telecom site", "2", PURPLE, 90.0),
    "depots": ("Repair depot", "D", ORANGE, 55.0),
    "substations": ("Substation", "s", BLACK, 150.0),
    "stations": ("Ambulance station", "^", BLUE, 95.0),
    "hospitals": ("Hospital", "P", VERMILION, 130.0),
}
"""Table -> legend name, marker, colour, area (points squared), in drawing order."""

_POINTS_PER_INCH = 72.0
_TOUCHING = 11.0
"""Marks nearer than this (points) hide each other."""
_ASIDE = 13.0
"""How far (points) a mark moves aside for one that was drawn before."""

_LETTER, _LINE = 6.4, 13.0
"""Mean width of a letter and height of a line of a name, points at font size 11."""

Box = tuple[float, float, float, float]
"""Left, bottom, right and top of a name or a mark, points from the lower left of the frame."""


def draw_places(ax: Axes, city: City, tables: tuple[str, ...] = tuple(PLACES), size: float = 1.0) -> Floats:
    """Mark hospitals, stations and other places, each kind with its own shape and colour.

    A mark on the very spot of another kind moves to its right. Returns where the marks
    stand (n, 2) in metres. Needs a framed map.
    """
    step = points_per_metre(ax)
    taken = np.empty((0, 2))
    for table in tables:
        if not city.rows(table):
            continue
        name, marker, colour, area = PLACES[table]
        thin = marker in "1234x+"
        edge: dict[str, Any] = {"linewidths": 1.8} if thin else {"linewidths": 1.0, "edgecolors": "white"}
        spots = places(city, table)
        moved = _touches(spots * step, taken * step)
        aside = ScaledTranslation(_ASIDE / _POINTS_PER_INCH, 0.0, ax.figure.dpi_scale_trans)
        for rows, place in ((~moved, ax.transData), (moved, ax.transData + aside)):
            if rows.any():
                ax.scatter(
                    spots[rows, 0], spots[rows, 1], s=area * size, marker=marker, c=colour, zorder=12,
                    label=name if rows[0] else "", transform=place, **edge,
                )  # fmt: skip
        taken = np.concatenate([taken, spots + np.outer(moved, (_ASIDE / step, 0.0))])
    return taken


def _touches(spots: Floats, taken: Floats) -> Any:
    """Say of each spot (n, 2) in points whether a mark is already there."""
    gaps = np.linalg.norm(spots[:, None, :] - taken[None, :, :], axis=2)
    return (gaps < _TOUCHING).any(axis=1)


def points_per_metre(ax: Axes) -> float:
    """Return about how many points a metre takes on a framed map, before it is laid out."""
    width, height = (_POINTS_PER_INCH * side / ax.figure.dpi for side in ax.figure.bbox.size)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    return float(min(0.92 * width / (right - left), 0.78 * height / (top - bottom)))


def name_places(ax: Axes, city: City, table: str, marks: Floats, limit: int = 12) -> None:
    """Write names of the first places of a table beside their marks, inside the frame and not on each other.

    A name keeps off the marks (n, 2 in metres) where it can; one that fits nowhere is left out.
    Needs a framed map.
    """
    if table not in city or "name" not in city[table]:
        return
    step, corner = points_per_metre(ax), np.array([ax.get_xlim()[0], ax.get_ylim()[0]])
    frame = ((ax.get_xlim()[1] - corner[0]) * step, (ax.get_ylim()[1] - corner[1]) * step)
    spots = places(city, table)[:limit]
    centres = (spots - corner) * step
    taken: list[Box] = []
    others: list[Box] = [(x - 6.0, y - 6.0, x + 6.0, y + 6.0) for x, y in ((marks - corner) * step).tolist()]
    for spot, centre, name in zip(spots, centres, city[table]["name"][:limit].tolist(), strict=True):
        place = (float(centre[0]), float(centre[1]))
        chosen = _side(str(name), place, frame, taken + others) or _side(str(name), place, frame, taken)
        if chosen is None:
            continue
        (right, shift), box = chosen
        taken.append(box)
        ax.annotate(
            plain(str(name)), (float(spot[0]), float(spot[1])), (10.0 if right else -10.0, shift),
            textcoords="offset points", fontsize=11, color=INK, zorder=13, ha="left" if right else "right",
            path_effects=[withStroke(linewidth=2.6, foreground="white")],
        )  # fmt: skip


def _side(
    name: str, centre: tuple[float, float], frame: tuple[float, float], taken: list[Box]
) -> tuple[tuple[bool, float], Box] | None:
    """Return whether a name stands to the right and how much higher (points), with its box; None for nowhere."""
    inwards = centre[0] < frame[0] / 2.0
    for shift in (8.0, -18.0, 22.0):
        for right in (inwards, not inwards):
            near = centre[0] + (10.0 if right else -10.0 - _LETTER * len(name))
            box = (near, centre[1] + shift - 2.0, near + _LETTER * len(name), centre[1] + shift + _LINE)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= frame[0] and box[3] <= frame[1]
            if inside and not any(_overlap(box, other) for other in taken):
                return (right, shift), box
    return None


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
