"""Draw how a fitted process of calls agrees with calls that were kept back."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from twin.plot.style import BLUE, FAINT, INK, MUTED, ORANGE, Floats, set_title

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LIMIT_95 = 1.358
"""Limit of sqrt(n) times the Kolmogorov-Smirnov distance at 5 %. Source: Smirnov, Annals of
Mathematical Statistics 19 (1948), table."""


def call_fit_plot(
    observed: Floats, expected: Floats, rescaled: Floats, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw calls by hour of the week with the model's 95 % band, and rescaled gaps against uniform.

    observed, expected  (168,)  calls by hour of the week from Monday 0:00
    rescaled            (n,)    rescaled gaps, uniform on 0..1 if the model holds
    axes                two to draw on; a new figure without them
    """
    if axes is None:
        from matplotlib import pyplot

        left, right = pyplot.subplots(
            1, 2, figsize=(11.0, 3.8), layout="constrained", gridspec_kw={"width_ratios": [2.4, 1.0]}
        )[1]
    else:
        left, right = axes
    _draw_week(left, observed, expected)
    _draw_rescaled(right, rescaled)
    return left, right


def _draw_week(ax: Axes, observed: Floats, expected: Floats) -> None:
    edges = np.arange(expected.shape[0] + 1)
    spread = 1.96 * np.sqrt(expected)
    ax.stairs(expected + spread, edges, baseline=np.maximum(expected - spread, 0.0), fill=True, color=BLUE, alpha=0.2)
    ax.stairs(expected, edges, color=BLUE, linewidth=1.8, label="model, 95 % of Poisson counts")
    ax.plot(edges[:-1] + 0.5, observed, ".", color=ORANGE, markersize=5, label="calls kept back")
    ax.set_xticks(24 * np.arange(7) + 12, _DAYS)
    ax.set_xticks(24 * np.arange(8), minor=True)
    ax.grid(axis="x", which="minor", color=FAINT, linewidth=0.7)
    ax.set_xlim(0, expected.shape[0])
    ax.set_ylim(0.0, 1.3 * max(float(np.max(expected + spread)), float(np.max(observed)), 1.0))
    ax.set_ylabel("calls", color=MUTED)
    ax.legend(loc="upper right", ncols=2)
    set_title(ax, "Calls by hour of the week")


def _draw_rescaled(ax: Axes, rescaled: Floats) -> None:
    share = (np.arange(rescaled.shape[0]) + 0.5) / rescaled.shape[0]
    band = _LIMIT_95 / np.sqrt(rescaled.shape[0])
    ends = np.array([0.0, 1.0])
    ax.fill_between(ends, ends - band, ends + band, color=BLUE, alpha=0.2, linewidth=0, label="95 % band")
    ax.plot(np.sort(rescaled), share, color=ORANGE, linewidth=2.0, label="calls kept back")
    ax.plot(ends, ends, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_aspect("equal")
    ax.set_xlabel("rescaled gap between calls", color=MUTED)
    ax.set_ylabel("share of gaps", color=MUTED)
    ax.legend(loc="upper left")
    set_title(ax, "Rescaled times")
