"""Draw how soon calls were reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.plot.style import axes_or_new, set_title, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def response_plot(response: Mapping[str, Any], targets: Sequence[float], ax: Axes | None = None) -> Axes:
    """Draw the share of calls reached within a time, one curve for each priority that has calls.

    response  s from arrival to a unit on scene, by name
    targets   s, of each; drawn as a point where its curve passes it
    """
    drawn = axes_or_new(ax, (6.4, 4.0))
    colours = shades("viridis", max(2, len(response)), 0.1, 0.8)
    for (name, given), target, colour in zip(response.items(), targets, colours, strict=False):
        values = np.sort(np.asarray(given, np.float64))
        if not len(values):
            continue
        share = np.arange(1, len(values) + 1) / len(values)
        drawn.step(values / 60, 100 * share, where="post", color=colour, label=name)
        drawn.plot(target / 60, 100 * np.mean(values <= target), "o", color=colour)
    drawn.set_xlabel("minutes from the call to a unit on scene")
    drawn.set_ylabel("calls reached (%)")
    drawn.set_ylim(0, 101)
    drawn.set_xlim(left=0)
    drawn.legend(frameon=False)
    set_title(drawn, "Response; dots: targets")
    return drawn
