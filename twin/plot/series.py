"""Draw how a run went over local time: a mean and a band for each arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from twin.plot.style import (
    ARM_COLOURS,
    DPI,
    FAINT,
    MUTED,
    Caption,
    Floats,
    axes_or_new,
    plain,
    set_title,
)

Moments = NDArray[np.datetime64]

FLOOD_SHADE, BLACKOUT_SHADE, CLOSURE_SHADE = "#00736f", "#6b6b6b", "#a03c00"
HATCHED = {FLOOD_SHADE: "///", CLOSURE_SHADE: "\\\\\\"}
"""Shades that are hatched instead of filled, so that no band is taken for them."""

MOST_BANDS = 2
"""Arms whose bands can be told apart."""

_DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (1.5, 1.0)), (0, (6, 1.5, 1.5, 1.5)), (0, (12, 3)), (0, (3, 3)))
"""How lines of arms are dashed; with as many colours and one more, arms are told apart beyond the colours."""

WIDTH = 9.2
"""Width of a picture that spans the page, inches."""


@dataclass(frozen=True)
class Curve:
    """A figure over time in every replication of one arm.

    arm     name of the arm
    time    (k,)    local wall-clock time
    values  (r, k)  one row per replication; nan where it was not measured
    """

    arm: str
    time: Moments
    values: Floats


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of local time that is shaded, such as a flood; a moment is drawn as a line."""

    label: str
    first: np.datetime64
    last: np.datetime64
    colour: str = FLOOD_SHADE


def series_plot(
    curves: Sequence[Curve], label: str, windows: Sequence[Window] = (), ax: Axes | None = None,
    caption: Caption | None = None,
) -> Axes:  # fmt: skip
    """Draw the mean of each arm and the band that holds 80 % of its replications, each sample held to the next.

    Bands of more than two arms would hide each other, and are left out.
    label   what is measured, with its unit; written above the axes
    """
    ax = axes_or_new(ax, (8.5, 3.2))
    for window in windows:
        _draw_window(ax, window)
    for number, curve in enumerate(curves):
        colour = ARM_COLOURS[number % len(ARM_COLOURS)]
        middle, low, high = _band(curve.values)
        if len(curves) <= MOST_BANDS:
            ax.fill_between(curve.time, low, high, color=colour, alpha=0.22, linewidth=0, zorder=2, step="post")
        style = _DASHES[number % len(_DASHES)]
        ax.step(
            curve.time, middle, where="post", color=colour, linewidth=2.3, linestyle=style, label=plain(curve.arm),
            zorder=3,
        )  # fmt: skip
    set_title(ax, label, caption)
    ax.margins(x=0.0)
    ax.grid(axis="y", color=FAINT, linewidth=0.7)
    _value_axis(ax, np.concatenate([curve.values.ravel() for curve in curves]) if curves else np.empty(0))
    _clock_axis(ax)
    return ax


def _value_axis(ax: Axes, values: Floats) -> None:
    """Let the axis begin at 0, with whole numbers for counts; say so where there is nothing to see.

    values  everything that was measured
    """
    known = values[np.isfinite(values)]
    if not known.any():
        ax.text(
            0.5, 0.5, "none" if known.size else "nothing measured", transform=ax.transAxes, ha="center", color=MUTED
        )
        ax.set_ylim(0.0, 1.0)
        ax.set_yticks([0.0] if known.size else [], ["0"] if known.size else [])
        return
    counts = bool((known == np.round(known)).all())
    if known.min() >= 0.0:
        ax.set_ylim(0.0, max(ax.get_ylim()[1], 1.1 if counts else 0.0))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=counts))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))


def _tick(value: float) -> str:
    """Return the text of a tick, never a negative zero.

    >>> _tick(12000.0), _tick(0.25), _tick(-0.0)
    ('12,000', '0.25', '0')
    """
    return f"{round(value, 6) + 0.0:,.10g}".replace("-", "−")


def _draw_window(ax: Axes, window: Window) -> None:
    """Shade a stretch, or draw a line at a moment."""
    first, last = _day(window.first), _day(window.last)
    if last > first:
        ax.axvspan(first, last, zorder=0, **_shade(window.colour))
    else:
        ax.axvline(first, color=MUTED, linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)


def _shade(colour: str) -> dict[str, Any]:
    """Return how a window of a colour is filled or hatched, in a panel and in the legend."""
    if colour in HATCHED:
        return {"facecolor": "none", "edgecolor": (colour, 0.38), "hatch": HATCHED[colour], "linewidth": 0.0}
    return {"color": colour, "alpha": 0.17, "linewidth": 0}


def _day(moment: np.datetime64) -> float:
    """Return a moment in the days that matplotlib counts in."""
    untyped: Any = dates
    return float(untyped.date2num(moment))


def _name_moments(ax: Axes, windows: Sequence[Window]) -> None:
    """Write what happens at the moments that are lines, above the curves."""
    names: dict[np.datetime64, list[str]] = {}
    for window in windows:
        if window.last == window.first:
            names.setdefault(window.first, []).append(window.label)
    if names:
        low, high = ax.get_ylim()
        ax.set_ylim(top=low + 1.4 * (high - low))
    for level, moment in enumerate(sorted(names)):
        ax.annotate(
            plain(", ".join(dict.fromkeys(names[moment]))),
            (_day(moment), 1.0),
            (4, -13 - 13 * (level % 3)),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=10.5,
            zorder=6,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _band(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean, 10th and 90th percentile over replications; nan where nothing was measured."""
    measured = np.isfinite(values).any(axis=0)
    out = np.full((3, values.shape[1]), np.nan)
    kept = values[:, measured]
    if kept.size:
        out[0, measured] = np.nanmean(kept, axis=0)
        out[1:, measured] = np.nanpercentile(kept, (10, 90), axis=0)
    return out[0], out[1], out[2]


def _clock_axis(ax: Axes) -> None:
    """Write local hours under the axis, and the date where it changes."""
    untyped: Any = dates
    locator = untyped.AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator, show_offset=False))


def story_plot(
    panels: Mapping[str, Sequence[Curve]], windows: Sequence[Window], axes: Sequence[Axes], zone: str,
    caption: Caption | None = None,
) -> Sequence[Axes]:  # fmt: skip
    """Draw several figures below each other on one time axis, with one legend.

    panels  label -> curves, one per arm, in the same order everywhere
    axes    as many axes as panels, sharing x
    zone    name of the local time, written under the last axis
    """
    for ax, (label, curves) in zip(axes, panels.items(), strict=True):
        series_plot(curves, label, windows, ax)
    if len(axes):
        axes[-1].set_xlabel(f"Local time ({zone})" if zone else "Local time")
        for ax in axes[:-1]:
            ax.tick_params(labelbottom=False)
        _name_moments(axes[0], windows)
        bands = any(
            len(curves) <= MOST_BANDS and len(curve.values) > 1 for curves in panels.values() for curve in curves
        )
        _story_legend(axes, windows, bands)
        if caption:
            axes[0].figure.suptitle(plain("\n".join(caption.lines(96))), x=0.01, ha="left", color=MUTED, fontsize=12)
    return axes


def story_figure(
    panels: Mapping[str, Sequence[Curve]], windows: Sequence[Window], zone: str, caption: Caption | None = None
) -> Figure:
    """Return a new figure, outside pyplot, with all panels of a story below each other."""
    layout = ConstrainedLayoutEngine(h_pad=0.04, w_pad=0.12)
    made = Figure(figsize=(WIDTH, 1.4 + 2.0 * max(len(panels), 1)), dpi=DPI, layout=layout)
    axes = np.atleast_1d(made.subplots(max(len(panels), 1), 1, sharex=True))
    story_plot(panels, windows, list(axes[: len(panels)]), zone, caption)
    return made


def _story_legend(axes: Sequence[Axes], windows: Sequence[Window], bands: bool) -> None:
    """Explain arms, bands (where there are any) and shades once, below all panels."""
    handles, labels = (list(part) for part in axes[0].get_legend_handles_labels())
    if bands:
        handles.append(tuple(Patch(color=line.get_color(), alpha=0.3, linewidth=0) for line in handles))
        labels.append("80 % of replications")
    seen = {window.label: window.colour for window in windows if window.last > window.first}
    handles += [Patch(**_shade(colour)) for colour in seen.values()]
    labels += [plain(name) for name in seen]
    axes[0].figure.legend(
        handles, labels, loc="outside lower center", ncols=min(len(handles), 5), frameon=False,
        handler_map={tuple: HandlerTuple(None, pad=0.0)},
    )  # fmt: skip
