"""Decide which lines a storm breaks, and when."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.contract import Event, Setup
from twin.models.scenario_events import microseconds

Array = np.ndarray[Any, Any]


def storm_failures(run: Setup, event: Event, lines: Array, length: Array) -> list[tuple[int, int]]:
    """Return the lines that fail and the delay (us) of each from the start of the storm.

    lines   (n,)     rows of the lines in the storm
    length  (n,)  m  their lengths

    Kilometres fail independently with the probability p that the scenario
    states, so a line of length l fails with 1 - (1 - p)^(l / 1 km); the instant
    is uniform over the storm. Numbers are keyed by line and storm: a line that
    fails under one policy fails under every other, at the same instant.
    """
    chance = 1.0 - (1.0 - event.params["probability"]) ** (length / 1000.0)
    luck = run.uniform("storm.failure", lines, event.data)
    when = run.uniform("storm.instant", lines, event.data)
    duration = microseconds(event.params["duration"])
    fails = np.flatnonzero(luck < chance)
    return [(int(lines[i]), int(when[i] * duration)) for i in fails]
