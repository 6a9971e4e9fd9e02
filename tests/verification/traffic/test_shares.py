"""What begins at a node shares the next link with full links in the ratio of their weights."""

from __future__ import annotations

import numpy as np
import pytest

from twin.kernels.traffic import advance
from twin.kernels.traffic_arrays import new_log
from twin.kernels.traffic_layout import Roads, Trips, build


@pytest.mark.jit
@pytest.mark.parametrize("side_street", [False, True])
@pytest.mark.parametrize("lanes", [1.0, 4.0])
def test_an_origin_has_the_share_of_one_lane_whether_or_not_a_side_street_ends_there(lanes, side_street):
    """A full link and an origin go into a link like it; nobody uses the side street, of one lane."""
    ends = np.array([(0, 1), (1, 2), (3, 1)][: 3 if side_street else 2]).T
    count = 4000
    begins_here = np.arange(count) % 2
    routes = np.array([0, 1, -1, 1, -1])
    trips = Trips(np.zeros(count, np.int64), begins_here, route_start=3 * begins_here, routes=routes)
    traffic = build(Roads(4, *ends, 500.0, 20.0, [lanes, lanes, 1.0][: ends.shape[1]]), trips)
    log = new_log(3 * count)
    advance(*traffic, log, 800_000_000)
    rows = slice(int(log.written[0]))
    over = (log.link[rows] == 1) & (log.left[rows] > 300_000_000)
    assert over.sum() > 200
    assert begins_here[log.vehicle[rows][over]].mean() == pytest.approx(1 / (1 + lanes), abs=0.01)
