"""Draw paired differences with their intervals, margins and verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from twin.plot.style import BLUE, GREEN, INK, MUTED, SKY, VERMILION, Caption, axes_or_new, plain, set_title
from twin.wording import difference_with_unit, figure_name

if TYPE_CHECKING:
    from twin.stats import Comparison

VERDICT_LOOK = {
    "better": (GREEN, "o"),
    "worse": (VERMILION, "X"),
    "same": (BLUE, "s"),
    "inconclusive": (MUTED, "D"),
}
"""Verdict -> colour and marker, so that no verdict is told by its colour alone."""

_WIDEST = 8.0
_LONGEST = 34
"""Letters of a title that leave room for the interval on the same line."""


def forest_plot(
    comparisons: Sequence[Comparison], ax: Axes | None = None, caption: Caption | None = None,
    arms: tuple[str, str] = ("A", "B"),
) -> Axes:  # fmt: skip
    """Draw paired differences with 95 % intervals, in multiples of each figure's margin.

    To the right is better, whatever the direction of a figure; the band from -1 to 1 is
    the difference that does not matter. An arrow marks an interval or a difference that leaves the picture.
    arms  names of baseline and arm
    """
    ax = axes_or_new(ax, (9.0, 1.6 + 0.62 * max(len(comparisons), 1)))
    scaled = [_scaled(one) for one in comparisons]
    limit = _limit(scaled)
    ax.axvspan(-1.0, 1.0, color=SKY, alpha=0.2, linewidth=0, zorder=0)
    ax.text(0.0, -0.62, "too small to matter", ha="center", va="center", color=MUTED, fontsize=10.5)
    ax.plot([0.0, 0.0], [-0.4, len(comparisons) - 0.4], color=MUTED, linewidth=1.0, zorder=1)
    for row, (one, (middle, low, high)) in enumerate(zip(comparisons, scaled, strict=True)):
        _interval(ax, (middle, low, high), float(row), limit, one.verdict)
        _row_text(ax, one, row, limit)
    ax.set_yticks(range(len(comparisons)), [plain(figure_name(one.figure)) for one in comparisons])
    ax.tick_params(axis="y", length=0, labelcolor=INK, labelsize=12.0)
    ax.set_ylim(len(comparisons) - 0.4, -0.9)
    ax.set_xlim(-limit, limit)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.set_xlabel(
        f"←  {plain(arms[1])} worse        difference, in margins that matter        {plain(arms[1])} better  →"
    )
    ax.spines["left"].set_visible(False)
    level = comparisons[0].level if comparisons else 0.95
    title = f"What {arms[1]} changes against {arms[0]}"
    between = " " if len(title) <= _LONGEST else "\n"
    set_title(ax, f"{title}{between}({100 * level:g} % intervals)", caption)
    return ax


def arms_plot(
    found: Mapping[str, Sequence[Comparison]], ax: Axes | None = None, caption: Caption | None = None,
    baseline: str = "A",
) -> Axes:  # fmt: skip
    """Draw what each of several arms changes against the baseline, figure by figure, in multiples of its margin.

    Arms stand in the order of the first figure, best on top; the rest is as in `forest_plot`.
    found  arm -> comparisons with the baseline, of the same figures in the same order
    """
    by_figure = list(zip(*found.values(), strict=True))
    arms = [arm for _, arm in sorted(zip(_merit(found.values()), found, strict=True), key=lambda pair: pair[0])]
    rows = [(arm, found[arm][number]) for number in range(len(by_figure)) for arm in arms]
    ax = axes_or_new(ax, (9.0, 1.9 + 0.42 * (len(rows) + len(by_figure))))
    scaled = [_scaled(one) for _, one in rows]
    limit = _limit(scaled)
    places = [row + row // len(arms) + 1 for row in range(len(rows))]
    ax.axvspan(-1.0, 1.0, color=SKY, alpha=0.2, linewidth=0, zorder=0)
    ax.axvline(0.0, color=MUTED, linewidth=1.0, zorder=1)
    for place, (_, one), triple in zip(places, rows, scaled, strict=True):
        _interval(ax, triple, float(place), limit, one.verdict)
        _row_text(ax, one, place, limit)
    for number, same in enumerate(by_figure):
        ax.text(
            -limit, number * (len(arms) + 1), plain(figure_name(same[0].figure)), va="center", color=INK,
            fontweight="bold", zorder=6,
        )  # fmt: skip
    ax.set_yticks(places, [plain(arm) for arm, _ in rows])
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.set_ylim(len(rows) + len(by_figure) - 0.4, -0.6)
    ax.set_xlim(-limit, limit)
    ax.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    ax.set_xlabel("←  worse        difference, in margins that matter (band: too small to matter)        better  →")
    ax.spines["left"].set_visible(False)
    level = rows[0][1].level if rows else 0.95
    set_title(ax, f"What each arm changes against {baseline}\n({100 * level:g} % intervals)", caption)
    return ax


def _merit(arms: Iterable[Sequence[Comparison]]) -> list[float]:
    """Return by how much the first figure of each arm is worse, in margins; last where it is not known."""
    found = [_scaled(rows[0])[0] if rows else 0.0 for rows in arms]
    return [-value if np.isfinite(value) else np.inf for value in found]


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
    else:
        ax.plot(np.sign(middle) * edge, row, ">" if middle > 0 else "<", color=colour, markersize=10, zorder=4)


def _row_text(ax: Axes, one: Comparison, row: int, limit: float) -> None:
    """Write difference, interval and verdict to the right of a row."""
    colour = VERDICT_LOOK.get(one.verdict, VERDICT_LOOK["inconclusive"])[0]
    text = difference_with_unit(one.difference, one.figure)
    ax.annotate(
        plain(one.verdict), (limit, row), (10, 0), textcoords="offset points", va="center", color=colour,
        fontweight="bold", annotation_clip=False,
    )  # fmt: skip
    ax.annotate(
        plain(text), (limit, row), (118, 0), textcoords="offset points", va="center", color=INK, annotation_clip=False
    )
