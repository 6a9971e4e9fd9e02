"""Numbers that a service cannot be run with are named before the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.kernels.emergency_cases import grid_calls, grid_region
from twin.models.emergency.layout import lay_out
from twin.models.emergency.rules import Rules


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        *((name, float("inf"), f"{name} is more than 1e.09 s") for name in ("answer", "handover", "patience")),
        ("arrive", float("inf"), "arrive is more than"),
        ("scene", 1e13, "scene is more than"),
        ("walk", 1e300, "walk is more than 1e.06 m"),
        ("node", 1.5, "node must be a whole number"),
        ("priority", 0.7, "priority must be a whole number"),
        ("zone", float("nan"), "zone must be a whole number"),
        ("transport", float("nan"), "transport must be true or false"),
        ("transport", 0.5, "transport must be true or false"),
    ],
)
def test_a_call_that_cannot_be_used_is_named_by_its_row(column, value, said):
    region = grid_region()
    calls = grid_calls(region)
    calls[column] = calls[column].astype(float)
    calls.loc[59, column] = value
    with pytest.raises(ValueError, match=f"calls 59: {said}"):
        lay_out(region, calls, Rules())


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"queue_limit": -3}, "queue_limit"),
        ({"queue_limit": 0.5}, "queue_limit .* whole number"),
        ({"within": float("nan")}, "within .* finite"),
        ({"preference": [[0, 0, 0, 0]] * 2}, r"preference\[0\] names a unit twice"),
        ({"preference": [[0, 1, 2, 3], [0, -1, 1]]}, r"preference\[1\] names units after -1"),
        ({"preference": [[0], [0, 1, 2, 3, -1]]}, r"preference\[1\] has 5 entries"),
        ({"preference": [[0], [0.5]]}, r"preference\[1\] .* whole number"),
        ({"station_list": [0, 1.5]}, "station_list .* whole number"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_named(rules, said):
    region = grid_region()
    name = "preference" if "preference" in rules else "nearest"
    with pytest.raises(ValueError, match=said):
        lay_out(region, grid_calls(region), Rules(name, **rules))


def test_preferences_of_unlike_length_are_taken():
    region = grid_region()
    rules = Rules("preference", preference=[[0, 1, 2, 3], [2]])
    case, _ = lay_out(region, grid_calls(region), rules)
    assert case.settings.preference.tolist() == [[0, 1, 2, 3], [2, -1, -1, -1]]


@pytest.mark.parametrize(
    ("part", "values", "said"),
    [
        ("pace", [np.nan, 0.4], "driving.pace 0"),
        ("pace", [0.3, -1.0], "driving.pace 1"),
        ("switch", [0.0, 0.0], "must begin with 0 and grow"),
        ("switch", [5.0, 20.0], "must begin with 0 and grow"),
        ("switch", [0.0, np.nan], "driving.switch 1"),
    ],
)
def test_driving_that_cannot_be_is_named(part, values, said):
    region = grid_region()
    odd = replace(region, driving=replace(region.driving, **{part: np.array(values)}))
    with pytest.raises(ValueError, match=said):
        lay_out(odd, grid_calls(region), Rules())


@pytest.mark.parametrize("target", [np.nan, np.inf, -1.0])
def test_a_target_that_is_no_time_is_named(target):
    region = grid_region()
    odd = replace(region, priorities=region.priorities.assign(target=[400.0, target]))
    with pytest.raises(ValueError, match="priorities 1: target"):
        lay_out(odd, grid_calls(region), Rules())


@pytest.mark.parametrize(("weight", "said"), [(0.0, "0 in every row"), (-1.0, "demand 0"), (np.nan, "demand 0")])
def test_demand_that_weighs_nothing_is_named(weight, said):
    region = grid_region()
    odd = replace(region, demand=region.demand.assign(weight=weight))
    with pytest.raises(ValueError, match=said):
        lay_out(odd, grid_calls(region), Rules(move_up="dmexclp"))
