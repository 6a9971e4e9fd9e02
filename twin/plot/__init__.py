"""Draw a city and its results: maps, curves over time, and differences with their verdicts.

Every function takes `ax` (a new figure without it) and returns it. Geometry is in metres
on the city's grid, with north up. Colours stay apart for colour-blind readers.
"""

from __future__ import annotations

from twin.plot.forest import arms_plot, forest_plot
from twin.plot.maps import DELAY, DEPTH, FLOW, SPEED, city_map, difference_map, link_map
from twin.plot.networks import network_map
from twin.plot.series import Curve, Window, series_plot, story_plot
from twin.plot.services import MINUTES, call_map, power_map
from twin.plot.style import Caption, Scale, figure, png, style
from twin.plot.voltage import voltage_map

__all__ = [
    "DELAY",
    "DEPTH",
    "FLOW",
    "MINUTES",
    "SPEED",
    "Caption",
    "Curve",
    "Scale",
    "Window",
    "arms_plot",
    "call_map",
    "city_map",
    "difference_map",
    "figure",
    "forest_plot",
    "link_map",
    "network_map",
    "png",
    "power_map",
    "series_plot",
    "story_plot",
    "style",
    "voltage_map",
]
