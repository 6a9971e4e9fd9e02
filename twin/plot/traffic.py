"""Draw what traffic by itself did: link maps, a space-time diagram, the fundamental diagram of a network.

Every picture takes `ax` (a new figure without it) and returns it. Flow, density
and speed are those of Edie, Discussion of traffic stream measurements and
definitions (1963): distance driven and time spent per length and duration.
Vehicles that had not left a link when the run ended count up to then, see `Result.drives`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from twin.plot.base import beside, draw_lines
from twin.plot.style import (
    FAINT,
    INK,
    MUTED,
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
    from twin.models.traffic.outcome import Drives, Result

_MAP = {
    "flow": ("Where traffic flowed", "Mean flow, vehicles per hour", "viridis_r", 0.08, 1.0),
    "speed": ("How fast traffic moved", "Mean speed, km/h", "plasma", 0.0, 0.92),
    "density": ("Where traffic stood close", "Mean density, vehicles per km and lane", "inferno_r", 0.12, 0.9),
    "delay": ("Where time was lost", "Mean delay, seconds per vehicle", "inferno_r", 0.12, 0.9),
}
"""Quantity: title, label, colour map and the part of it that is used."""
_CLASSES = 6
_MOST_INTERVALS = 100_000
_ROUNDING = 1e-9
"""Share of an interval that is none of its own."""
_GAP = 0.007
"""Share of a map's size between the two directions of a street."""
_FEW_POINTS = 50
_LONG_DELAY = 600.0
"""s beyond which delays are minutes."""
_IN_HOURS = 3 * 3600.0
"""s beyond which times of a picture are hours."""


@dataclass(frozen=True)
class Pictures:
    """Draw a result of `twin.models.traffic.simulate`."""

    result: Result

    def links(
        self, quantity: str = "flow", begin: float = 0.0, end: float | None = None, ax: Axes | None = None,
        caption: Caption | None = None,
    ) -> Axes:  # fmt: skip
        """Map flow, speed, density or delay of every link; direction by the side of the street it is drawn on.

        begin, end  s, by default until the last exit, or the end of the run if some were still under way
        Raises ValueError for another quantity, or a result without positions (`Rules.nodes`).
        """
        if quantity not in _MAP:
            raise ValueError(f"quantity ({quantity!r}) must be one of {', '.join(_MAP)}")
        if self.result.nodes is None:
            raise ValueError("the result has no positions: give simulate nodes (x, y in m) in its Rules")
        value = link_values(self.result, begin, self._end(end))[quantity]
        value, scale = _scale(quantity, value)
        lines = _streets(self.result)
        ax = axes_or_new(ax, (7.2, 7.6))
        draw_lines(ax, lines, 1.2, FAINT, 1.0)
        _draw_classes(ax, lines, value, scale)
        frame_map(ax, self.result.nodes[["x", "y"]].to_numpy(float))
        colour_bar(ax, scale, _ticks(scale, value))
        set_title(ax, scale.title, _with_times(caption, begin, self._end(end)))
        if not (value > 0).any():
            _say_nobody(ax)
        return ax

    def space_time(
        self, corridor: Sequence[Any], begin: float = 0.0, end: float | None = None, ax: Axes | None = None,
        caption: Caption | None = None,
    ) -> Axes:  # fmt: skip
        """Draw the ways of vehicles along a corridor, coloured by their speed on each link; slow ones on top.

        corridor    links one after another; a way is straight from its entry to its exit of a link
        begin, end  s, by default as in `links`
        Raises ValueError where one link does not lead to the next, and for links that are none.
        """
        end = self._end(end)
        if not end > begin:
            raise ValueError(f"end ({end}) must be after begin ({begin})")
        unknown = [str(link) for link in corridor if link not in self.result.links.index]
        if unknown or not len(corridor):
            raise ValueError(f"no link {', '.join(unknown)} in the result" if unknown else "corridor has no link")
        links = self.result.links.loc[list(corridor)]
        _check_corridor(links)
        bounds = np.concatenate([[0.0], np.cumsum(links["length"].to_numpy(float))]) / 1000
        unit, name = _time_unit(end - begin)
        ways, speed = _ways(self.result, links, bounds, (begin, end))
        scale = _scale("speed", np.array([float(links["speed"].max()) * 3.6]))[1]
        ax = axes_or_new(ax, (8.5, 6.0))
        order = np.argsort(-speed, kind="stable")
        colours = [scale.colours[k] for k in scale.rank(speed[order])]
        draw_lines(ax, [ways[k] / (unit, 1.0) for k in order], 0.9, colours, 2.0)
        ax.set_xlim(begin / unit, end / unit)
        ax.set_ylim(0.0, bounds[-1])
        for bound in bounds[1:-1]:
            ax.axhline(bound, color=PAPER, linewidth=2.2, zorder=3)
            ax.axhline(bound, color=MUTED, linewidth=0.8, zorder=3)
        for link, low, high in zip(links.index, bounds[:-1], bounds[1:], strict=True):
            ax.annotate(
                f"link {link}", (1.0, (low + high) / 2), (6, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", color=INK,
            )  # fmt: skip
        ax.set_xlabel(f"Time, {name}")
        ax.set_ylabel("Distance along the corridor, km")
        colour_bar(ax, scale)
        set_title(ax, "Vehicles along a corridor", caption)
        if not ways:
            _say_nobody(ax)
        return ax

    def fundamental(self, every: float = 300.0, ax: Axes | None = None, caption: Caption | None = None) -> Axes:
        """Draw mean flow over mean density of the whole network, one point per interval of `every` seconds."""
        density, flow, time = fundamental_values(self.result, every)
        ax = axes_or_new(ax, (7.6, 5.6))
        ax.plot(density, flow, color=FAINT, linewidth=1.4, zorder=1)
        unit, name = _time_unit(float(time.max(initial=0.0)))
        size = 64.0 * min(1.0, _FEW_POINTS / max(len(time), 1))
        points = ax.scatter(
            density, flow, c=time / unit, cmap="viridis", s=size, edgecolor=INK, linewidth=0.6 * size / 64.0, zorder=2
        )
        bar = ax.figure.colorbar(points, ax=ax, pad=0.02)
        bar.set_label(f"Time, {name}")
        ax.set_xlim(left=0.0)
        ax.set_ylim(bottom=0.0)
        ax.grid(color=FAINT, linewidth=0.7)
        ax.set_axisbelow(True)
        ax.set_xlabel("Density, vehicles per km and lane")
        ax.set_ylabel("Flow, vehicles per hour and lane")
        set_title(ax, "Flow and density of the network", caption)
        if not len(time):
            _say_nobody(ax)
        return ax

    def _end(self, end: float | None) -> float:
        if end is not None:
            return end
        return float(self.result.drives().left.max(initial=0.0)) or 1.0


def link_values(result: Result, begin: float, end: float) -> dict[str, Floats]:
    """Return flow (veh/h), speed (km/h), density (veh/km and lane) and delay (s/veh) of every link.

    begin, end  s; speed and delay are nan where nobody was. Delay is what a
                vehicle there lost within this time, against the speed of the
                table of links
    """
    if not end > begin:
        raise ValueError(f"end ({end}) must be after begin ({begin})")
    drives = result.drives()
    rows, spent, driven = _inside(drives, begin, end)
    link = drives.link[rows]
    n_link, length = len(result.links), result.links["length"].to_numpy(float)
    time, way, vehicles = (np.bincount(link, what, n_link) for what in (spent, driven, None))
    none = np.full(n_link, np.nan)
    lost = np.maximum(time - way / result.links["speed"].to_numpy(float), 0.0)
    return {
        "flow": way / length / (end - begin) * 3600,
        "speed": np.divide(way, time, out=none.copy(), where=time > 0) * 3.6,
        "density": time / length / _lanes(result) / (end - begin) * 1000,
        "delay": np.divide(lost, vehicles, out=none, where=vehicles > 0),
    }


def fundamental_values(result: Result, every: float) -> tuple[Floats, Floats, Floats]:
    """Return density (veh/km), flow (veh/h), both per lane, and the middle (s) of each interval.

    The last interval ends with the run.
    """
    if not every > 0:
        raise ValueError(f"every ({every}) must be greater than 0 s")
    drives = result.drives()
    last = float(drives.left.max(initial=0.0))
    if not last / every <= _MOST_INTERVALS:
        raise ValueError(f"every ({every}) cuts {last:g} s into more than {_MOST_INTERVALS} intervals")
    begin = np.arange(np.ceil(last / every - _ROUNDING)) * every
    end = np.append(begin[1:], last)[: len(begin)]
    lane_metres = float((result.links["length"].to_numpy(float) * _lanes(result)).sum())
    spans = zip(begin.tolist(), end.tolist(), strict=True)
    sums = np.array([[part.sum() for part in _inside(drives, *span)[1:]] for span in spans]).reshape(-1, 2)
    per_metre = sums / lane_metres / (end - begin)[:, None]
    return per_metre[:, 0] * 1000, per_metre[:, 1] * 3600, (begin + end) / 2


def _inside(drives: Drives, begin: float, end: float) -> tuple[Any, Floats, Floats]:
    """Return row, seconds and metres of every drive between two instants."""
    rows = np.flatnonzero((drives.entered < end) & (drives.left > begin))
    entered, reached, left = drives.entered[rows], drives.reached[rows], drives.left[rows]
    spent = np.minimum(left, end) - np.maximum(entered, begin)
    moving = np.maximum(np.minimum(reached, end) - np.maximum(entered, begin), 0.0)
    driven = np.divide(drives.place[rows] * moving, reached - entered, out=np.zeros(len(rows)), where=moving > 0)
    return rows, spent, driven


def _ways(result: Result, links: Any, bounds: Floats, during: tuple[float, float]) -> tuple[list[Floats], Floats]:
    """Return the lines of vehicles along a corridor, s and km, and their mean speeds, km/h.

    bounds  (n_corridor + 1,)  km, from the start of the corridor
    during  s, begin and end of what is drawn
    """
    drives = result.drives()
    step = links.index.get_indexer(result.links.index)[drives.link]
    rows = np.flatnonzero((step >= 0) & (drives.entered < during[1]) & (drives.left > during[0]))
    entered, reached, left, place = (column[rows] for column in drives[1:])
    start = bounds[step[rows]]
    metres = start + place / 1000
    lines = np.stack([np.stack([entered, reached, left], axis=1), np.stack([start, metres, metres], axis=1)], axis=2)
    ways = [line if stands else line[:2] for line, stands in zip(lines, left > reached, strict=True)]
    return ways, np.asarray(3.6 * place / np.maximum(left - entered, 1e-9))


def _lanes(result: Result) -> Floats:
    links = result.links
    return links["lanes"].to_numpy(float) if "lanes" in links else np.ones(len(links))


def _scale(quantity: str, value: Floats) -> tuple[Floats, Scale]:
    """Return values in the unit of a map, and its classes; long delays are in minutes."""
    title, label, colours, low, high = _MAP[quantity]
    if quantity == "delay" and _most(value) > _LONG_DELAY:
        value, label = value / 60.0, label.replace("seconds", "minutes")
    edges = _edges(value) if quantity in ("flow", "speed") else _widening_edges(value)
    return value, Scale(title, label, edges, shades(colours, _CLASSES, low, high), worst_low=quantity == "speed")


def _most(value: Floats) -> float:
    """Return a value that few are above, 1 where all are 0."""
    known = value[np.isfinite(value)]
    return float(np.percentile(known, 98)) if len(known) and known.max() > 0 else 1.0


def _ticks(scale: Scale, value: Floats) -> list[str]:
    """Return the limits of classes as text; the last is open where some value lies beyond it."""
    beyond = "+" if np.nanmax(value, initial=0.0) > scale.edges[-1] else ""
    return [*(f"{edge:g}" for edge in scale.edges[:-1]), f"{scale.edges[-1]:g}{beyond}"]


def _with_times(caption: Caption | None, begin: float, end: float) -> Caption:
    """Return a caption that says which stretch of the run a picture shows, if it says no time yet."""
    caption, (unit, name) = caption or Caption(), _time_unit(end)
    return caption if caption.time else replace(caption, time=f"{begin / unit:.4g} to {end / unit:.4g} {name}")


def _time_unit(longest: float) -> tuple[float, str]:
    """Return seconds and name of the unit for times up to so many s."""
    return (3600.0, "h") if longest > _IN_HOURS else (60.0, "min")


def _say_nobody(ax: Axes) -> None:
    ax.text(0.5, 0.5, "no vehicles", transform=ax.transAxes, ha="center", color=MUTED, zorder=40)


def _widening_edges(value: Floats) -> tuple[float, ...]:
    """Return limits of classes from 0, each about twice the one before: 1, 2, 5, 10, ... up to almost all values."""
    top = _most(value)
    power = int(np.floor(np.log10(top)))
    series = [s * 10.0**p for p in range(power - 3, power + 2) for s in (1, 2, 5)]
    last = next(k for k, limit in enumerate(series) if limit >= top * (1 - 1e-9))
    return (0.0, *(float(f"{limit:.6g}") for limit in series[last - _CLASSES + 1 : last + 1]))


def _edges(value: Floats) -> tuple[float, ...]:
    """Return limits of classes from 0, in steps of a round number, that hold almost all values."""
    top = _most(value)
    power = 10.0 ** np.floor(np.log10(top / _CLASSES))
    step = min(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * power * _CLASSES >= top * (1 - 1e-9))
    return tuple(float(f"{step * k:.6g}") for k in range(_CLASSES + 1))


def _streets(result: Result) -> list[Floats]:
    """Return a straight line (2, 2) per link, to the side on which it is driven."""
    assert result.nodes is not None
    xy = result.nodes[["x", "y"]]
    ends = np.stack([xy.loc[result.links[end]].to_numpy(float) for end in ("from", "to")], axis=1)
    size = float(np.ptp(xy.to_numpy(float), axis=0).max())
    side = -1.0 if result.driving_side == "left" else 1.0
    return beside(list(ends), np.full(len(ends), side * _GAP * size))


def _draw_classes(ax: Axes, lines: list[Floats], value: Floats, scale: Scale) -> None:
    """Draw links by class, the worst widest and last; links where nobody drove stay plain."""
    shown = np.flatnonzero(np.isfinite(value) & ((value > 0) | scale.worst_low))
    rank, worse = scale.rank(value), scale.severity(value)
    shown = shown[np.argsort(worse[shown], kind="stable")]
    widths = np.linspace(2.4, 5.4, _CLASSES)[worse[shown]]
    draw_lines(ax, [lines[k] for k in shown], widths, [scale.colours[rank[k]] for k in shown], 4.0)


def _check_corridor(links: Any) -> None:
    if not links.index.is_unique:
        twice = links.index[links.index.duplicated()][0]
        raise ValueError(f"link {twice} is in the corridor twice: draw one round at a time")
    ends, starts = links["to"].to_numpy()[:-1], links["from"].to_numpy()[1:]
    broken = np.flatnonzero(ends != starts)
    if len(broken):
        names = links.index[[broken[0], broken[0] + 1]].tolist()
        raise ValueError(f"link {names[0]} of the corridor does not lead to link {names[1]}")
