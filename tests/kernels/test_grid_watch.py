"""The watch over limits: who is beyond, what is new, and the lowest voltage."""

from __future__ import annotations

import numpy as np
import pytest

from twin.kernels.grid_watch import OVERLOADS, RELAYS, VOLTAGES, Bounds, watch

BOUNDS = Bounds(0.9, 1.1, 1.0, np.array([np.inf, 1.2, 1.2]))
VOLTAGE = np.array([0.85, 1.0, 1.2, 0.8, 0.0])
FED = np.array([True, True, True, True, False])
SUPPLIED = np.array([True, True, True, False, False])
SIDE, OVER, RELAY = [-1, 0, 1, 0, 0], [True, True, False], [-1, 3, -1]
LOADING = np.array([5.0, 1.3, 0.9])


def look(side=SIDE, over=OVER, relay=RELAY, fed=FED):
    """Watch the grid above with what was so before; return what is new, the least voltage, sides and overloads."""
    found = np.full(5, 9, np.int8), np.zeros(3, bool)
    before = (np.array(side, np.int8), np.array(over), np.array(relay))
    return *watch(BOUNDS, VOLTAGE, fed, SUPPLIED, LOADING, *before, *found), *(part.tolist() for part in found)


def test_only_supplied_buses_have_limits_and_nothing_is_new_that_was_so_before():
    assert look() == (0, 0.8, SIDE, OVER)


@pytest.mark.parametrize(
    ("before", "news"),
    [
        ({"side": [0, 0, 1, 0, 0]}, VOLTAGES),
        ({"side": [-1, 0, 1, 0, 1]}, VOLTAGES),
        ({"over": [True, False, False]}, OVERLOADS),
        ({"relay": [-1, -1, -1]}, RELAYS),
        ({"relay": [-1, 0, -1]}, 0),
        ({"relay": [-1, 3, 7]}, RELAYS),
        ({"side": [0] * 5, "over": [False] * 3, "relay": [-1] * 3}, VOLTAGES | OVERLOADS | RELAYS),
    ],
)
def test_what_differs_from_before_is_told(before, news):
    assert look(**before) == (news, 0.8, SIDE, OVER)


def test_the_lowest_voltage_is_that_of_buses_with_a_source():
    assert look(fed=np.array([True, True, True, False, False]))[1] == 0.85
    assert look(fed=np.zeros(5, bool))[1] == np.inf
