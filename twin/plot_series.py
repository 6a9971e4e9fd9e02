"""Draw how a run went over local time, and what came out: bands per arm, differences per figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from twin.plot_style import (
    ARM_COLOURS,
    BLUE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    SKY,
    VERMILION,
    YELLOW,
    Caption,
    Floats,
    axes_or_new,
    plain,
    set_title,
)

if TYPE_CHECKING:
    from twin.stats import Comparison, Figure

Moments = NDArray[np.datetime64]

FLOOD_SHADE, BLACKOUT_SHADE, OTHER_SHADE = SKY, "#6b6b6b", YELLOW
VERDICT_LOOK = {
    "better": (GREEN, "o"),
    "worse": (VERMILION, "X"),
    "same": (BLUE, "s"),
    "inconclusive": (MUTED, "D"),
}
"""Verdict -> colour and marker, so that no verdict is told by its colour alone."""

_WIDEST = 8.0


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
    """A stretch of local time that is shaded, such as a flood."""

    label: str
    first: np.datetime64
    last: np.datetime64
    colour: str = FLOOD_SHADE


def series_plot(
    curves: Sequence[Curve], label: str, windows: Sequence[Window] = (), ax: Axes | None = None,
    caption: Caption | None = None,
) -> Axes:  # fmt: skip
    """Draw the mean of each arm and the band that holds 80 % of its replications.

    label   what is measured, with its unit; written above the axes
    """
    ax = axes_or_new(ax, (8.5, 3.2))
    for window in windows:
        ax.axvspan(window.first, window.last, color=window.colour, alpha=0.17, linewidth=0, zorder=0)  # type: ignore[arg-type]
    for number, curve in enumerate(curves):
        colour = ARM_COLOURS[number % len(ARM_COLOURS)]
        middle, low, high = _band(curve.values)
        ax.fill_between(curve.time, low, high, color=colour, alpha=0.22, linewidth=0, zorder=2)
        style = "-" if number == 0 else (0, (6, 1.5))
        ax.plot(curve.time, middle, color=colour, linewidth=2.3, linestyle=style, label=plain(curve.arm), zorder=3)
    set_title(ax, label, caption)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    ax.margins(x=0.0)
    ax.grid(axis="y", color=FAINT, linewidth=0.7)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _clock_axis(ax)
    return ax


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
    from matplotlib import dates

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
        _story_legend(axes, windows)
        if caption:
            axes[0].figure.suptitle(plain("\n".join(caption.lines())), x=0.01, ha="left", color=MUTED, fontsize=12)
    return axes


def _story_legend(axes: Sequence[Axes], windows: Sequence[Window]) -> None:
    """Explain arms, bands and shades once, below all panels."""
    handles: list[Any] = list(axes[0].get_legend_handles_labels()[0])
    handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label="80 % of replications"))
    seen: dict[str, str] = {window.label: window.colour for window in windows}
    handles += [Patch(color=c, alpha=0.25, linewidth=0, label=plain(name)) for name, c in seen.items()]
    axes[0].figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), frameon=False)


def forest_plot(
    comparisons: Sequence[Comparison], ax: Axes | None = None, caption: Caption | None = None,
    arms: tuple[str, str] = ("A", "B"),
) -> Axes:  # fmt: skip
    """Draw paired differences with 95 % intervals, in multiples of each figure's margin.

    To the right is better, whatever the direction of a figure; the band from -1 to 1 is
    the difference that does not matter. An arrow marks an interval that leaves the picture.
    arms  names of baseline and arm
    """
    ax = axes_or_new(ax, (9.0, 1.6 + 0.62 * max(len(comparisons), 1)))
    scaled = [_scaled(one) for one in comparisons]
    limit = _limit(scaled)
    ax.axvspan(-1.0, 1.0, color=SKY, alpha=0.2, linewidth=0, zorder=0)
    ax.text(0.0, -0.62, "too small to matter", ha="center", va="center", color=MUTED, fontsize=10.5)
    ax.axvline(0.0, color=MUTED, linewidth=1.0, zorder=1)
    for row, (one, (middle, low, high)) in enumerate(zip(comparisons, scaled, strict=True)):
        _interval(ax, (middle, low, high), float(row), limit, one.verdict)
        _row_text(ax, one, row, limit)
    ax.set_yticks(range(len(comparisons)), [plain(readable(one.figure.name)) for one in comparisons])
    ax.tick_params(axis="y", length=0, labelcolor=INK, labelsize=12.0)
    ax.set_ylim(len(comparisons) - 0.4, -0.9)
    ax.set_xlim(-limit, limit)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.set_xlabel(
        f"←  {plain(arms[1])} worse        difference, in margins that matter        {plain(arms[1])} better  →"
    )
    ax.spines["left"].set_visible(False)
    level = comparisons[0].level if comparisons else 0.95
    set_title(ax, f"What {arms[1]} changes against {arms[0]} ({100 * level:g} % intervals)", caption)
    return ax


def _scaled(one: Comparison) -> tuple[float, float, float]:
    """Return difference and interval in margins, positive where B is better.

    A figure without a margin is scaled so that its interval ends at 3: beyond the band.
    """
    sign = -1.0 if one.figure.direction == "lower" else 1.0
    known = [abs(v) for v in (one.low, one.high, one.difference) if np.isfinite(v)]
    unit = one.figure.margin if one.figure.margin > 0 else max([*known, 1e-12]) / 3.0
    low, high = sorted((sign * one.low / unit, sign * one.high / unit))
    return sign * one.difference / unit, low, high


def _limit(scaled: Sequence[tuple[float, float, float]]) -> float:
    """Return half the width of the axis: all intervals, but never more than a few margins."""
    finite = [abs(v) for triple in scaled for v in triple if np.isfinite(v)]
    return float(min(max([1.6, *finite]) * 1.12, _WIDEST))


def _interval(ax: Axes, triple: tuple[float, float, float], row: float, limit: float, verdict: str) -> None:
    """Draw one interval with its middle; arrows where it goes on beyond the axis."""
    colour, marker = VERDICT_LOOK.get(verdict, VERDICT_LOOK["inconclusive"])
    middle, low, high = triple
    if not np.isfinite(middle):
        ax.text(0.0, row, "not known", ha="center", va="center", color=MUTED, zorder=4)
        return
    edge = 0.97 * limit
    if np.isfinite(low) and np.isfinite(high):
        ends = np.clip([low, high], -edge, edge)
        ax.plot(ends, [row, row], color=colour, linewidth=3.0, solid_capstyle="butt", zorder=3)
        for value in (low, high):
            if abs(value) > edge:
                ax.plot(np.sign(value) * edge, row, ">" if value > 0 else "<", color=colour, markersize=10, zorder=4)
            else:
                ax.plot(value, row, "|", color=colour, markersize=12, markeredgewidth=2.2, zorder=3)
    if abs(middle) <= edge:
        ax.plot(middle, row, marker, color=colour, markersize=9, markeredgecolor="white", zorder=5)


def _row_text(ax: Axes, one: Comparison, row: int, limit: float) -> None:
    """Write difference, interval and verdict to the right of a row."""
    colour = VERDICT_LOOK.get(one.verdict, VERDICT_LOOK["inconclusive"])[0]
    text = with_unit(one.difference, one.figure, signed=True)
    ax.annotate(
        plain(one.verdict), (limit, row), (10, 0), textcoords="offset points", va="center", color=colour,
        fontweight="bold", annotation_clip=False,
    )  # fmt: skip
    ax.annotate(
        plain(text), (limit, row), (118, 0), textcoords="offset points", va="center", color=INK, annotation_clip=False
    )


def number(value: float, signed: bool = False) -> str:
    """Return a number with three to four significant digits, for people.

    >>> number(1234.5), number(0.04321), number(-2.0, signed=True), number(float("nan"))
    ('1,234', '0.0432', '−2.00', '–')
    """
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    text = f"{value:+,.{digits}f}" if signed and value else f"{value:,.{digits}f}"
    return text.replace("-", "−")


def readable(name: str) -> str:
    """Return the name of a figure as words.

    >>> readable("response_p90"), readable("customer_minutes_lost")
    ('Response p90', 'Customer minutes lost')
    """
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def with_unit(value: float, figure: Figure, signed: bool = False) -> str:
    """Return a value of a figure with its unit; a share is written in per cent."""
    factor, unit = shown_unit(figure)
    return f"{number(factor * value, signed)} {unit}".rstrip() if np.isfinite(value) else "–"


def shown_unit(figure: Figure) -> tuple[float, str]:
    """Return the factor and unit in which a figure is shown to people."""
    if figure.unit == "1":
        return (100.0, "%") if figure.name.endswith("share") else (1.0, "")
    return 1.0, figure.unit
