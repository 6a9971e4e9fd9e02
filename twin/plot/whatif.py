"""Draw what policies would change from a live state on: differences to the present one, ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from twin.plot.forest import VERDICT_LOOK
from twin.plot.style import INK, MUTED, SKY, Caption, axes_or_new, plain, set_title
from twin.units import format_duration
from twin.wording import counted, difference_unit, figure_name, number, shown_unit, with_unit

if TYPE_CHECKING:
    from twin.stats import Comparison, Figure
    from twin.whatif.result import WhatIf

_LOOKS = {**VERDICT_LOOK, "present": (INK, "|")}


def ranking_plot(found: WhatIf, ax: Axes | None = None) -> Axes:
    """Draw the difference of each policy's ranking figure to the present policy, best on top; return the axes.

    A line is the paired 95 % interval, colour and marker its verdict, the band the difference
    that does not matter. The mean over the futures stands at the right.
    """
    ranked = found.ranked()
    figure = next(f for f in found.figures if f.name == found.by)
    ax = axes_or_new(ax, (10.0, 2.1 + 0.42 * len(ranked)))
    factor, unit = shown_unit(figure)
    ax.axvspan(-factor * figure.margin, factor * figure.margin, color=SKY, alpha=0.22, linewidth=0, zorder=0)
    ax.axvline(0.0, color=MUTED, linewidth=1.0, zorder=1)
    used = set()
    for row, (label, mean) in enumerate(ranked):
        verdict = found.verdict(label)
        used.add(verdict)
        _row(ax, row, factor, None if verdict == "present" else found.judged(label), verdict)
        ax.annotate(
            plain(with_unit(mean, figure)), (1.0, row), (10, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", color=INK, annotation_clip=False,
        )  # fmt: skip
    ax.set_yticks(range(len(ranked)), [plain(_named(label, found)) for label, _ in ranked])
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.set_ylim(len(ranked) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(7))
    ax.set_xlabel(_axis_words(figure, difference_unit(unit)))
    _legend(ax, used)
    still = f"frozen: {', '.join(found.frozen)}" if found.frozen else ""
    futures = counted(max((len(found.values(found.by, label)) for label, _ in ranked), default=0), "future")
    told = f"{format_duration(found.horizon)} from {found.local}, {futures}, 95 % intervals"
    set_title(ax, f"{figure_name(figure)}: which policy from here on?", Caption(found.place, told, still))
    return ax


def _row(ax: Axes, row: int, factor: float, one: Comparison | None, verdict: str) -> None:
    """Draw one policy: interval and mean difference, in shown units."""
    colour, marker = _LOOKS.get(verdict, _LOOKS["inconclusive"])
    if one is None:
        ax.plot(0.0, row, marker, color=colour, markersize=13, markeredgewidth=2.2, zorder=4)
        return
    if not np.isfinite(one.difference):
        ax.text(0.0, row, "no data", ha="center", va="center", color=MUTED, zorder=4)
        return
    if np.isfinite(one.low) and np.isfinite(one.high):
        ends = [factor * one.low, factor * one.high]
        ax.plot(ends, [row, row], color=colour, linewidth=3.0, solid_capstyle="butt", zorder=3)
    ax.plot(factor * one.difference, row, marker, color=colour, markersize=9, markeredgecolor="white", zorder=5)


def _named(label: str, found: WhatIf) -> str:
    return f"{label} (present)" if label == found.present else label


def _axis_words(figure: Figure, unit: str) -> str:
    """Say what the axis shows, with its unit, and which side is better."""
    better = "left is better" if figure.direction == "lower" else "right is better"
    told = f" ({unit})" if unit else ""
    margin = f"; band: margin of {number(shown_unit(figure)[0] * figure.margin)}{' ' + unit if unit else ''}"
    return plain(f"difference to the present policy{told}, {better}{margin if figure.margin else ''}")


def _legend(ax: Axes, used: set[str]) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=3.0, markersize=8, markeredgecolor="white", label=verdict)
        for verdict, (colour, marker) in VERDICT_LOOK.items()
        if verdict in used
    ]
    if handles:
        ax.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0.0, -0.9 / max(ax.get_ylim()[0], 3.0)), ncols=4,
            frameon=False,
        )  # fmt: skip
