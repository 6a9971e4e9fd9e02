"""Numbers that look like those of another unit are warned of, and those of the usual size are not."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from twin.models.traffic import Rules, simulate
from twin.models.traffic.plausible import UnitWarning

LINKS = pd.DataFrame({"from": ["a", "b"], "to": ["b", "c"], "length": 1000.0, "speed": 20.0}, index=["ab", "bc"])
TRIPS = pd.DataFrame({"from": "a", "to": "c", "depart": [9.0, 100000.0, 5.0]})


@pytest.mark.parametrize(
    ("links", "nodes", "message"),
    [
        ({"speed": 50.0}, None, "links row ab, and 1 more rows: speed is 50.0 m/s; is it km/h?"),
        ({"jam_density": 150.0}, None, "links row ab, and 1 more rows: jam_density is 150.0 veh/m per lane"),
        (
            {"capacity": [0.9, 1800.0]},
            None,
            "links row bc: capacity is 1800.0 veh/s and has no effect; is it veh/h?",
        ),
        ({}, [0.0, 0.009, 0.018], "links are 1.1e+05 times as long as their nodes are apart"),
        ({"length": 0.3}, [0.0, 1000.0, 2000.0], "links are 0.0003 times as long as their nodes are apart"),
    ],
)
def test_numbers_of_another_unit_are_warned_of(links, nodes, message):
    placed = None if nodes is None else pd.DataFrame({"x": nodes, "y": 0.0}, index=list("abc"))
    with pytest.warns(UnitWarning) as caught:
        simulate(LINKS.assign(**links), TRIPS, until=1.0, rules=Rules(nodes=placed))
    assert len(caught) == 1
    assert str(caught[0].message).startswith(message)


def test_numbers_of_the_usual_size_are_not_warned_of():
    nodes = pd.DataFrame({"x": [0.0, 700.0, 1400.0], "y": 0.0}, index=list("abc"))
    usual = LINKS.assign(speed=36.0, capacity=[0.5, np.inf], lanes=3.0, jam_density=0.15)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(usual, TRIPS, until=1.0, rules=Rules(nodes=nodes))
