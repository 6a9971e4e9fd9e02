from __future__ import annotations

import numpy as np
import pytest

from tests.models.estimation.count_city import BLOCK, SIZE, grid_city, link_between
from twin.models.estimation.gateways import find_gateways, gateway_capacity, is_gateway, with_gateways
from twin.models.estimation.trips import fit_factors, fit_trips, prior_table
from twin.models.estimation.usage import usage


def seen_by(city, *ends):
    links = np.array([link_between(city, a, b) for a, b in ends])
    return usage(city, links, city["links"]["length"] / city["links"]["speed"])


def test_trips_along_one_edge_pass_its_counters():
    city = grid_city()
    seen = seen_by(city, (0, 1), (3, 4), (1, 0))
    share = seen.share.reshape(3, 4, 4)
    assert share[0, 0, 1] == share[1, 0, 1] == 1.0
    assert share[2, 0, 1] == 0.0
    assert share[2, 1, 0] == 1.0
    assert seen.cost[0, 1] == pytest.approx((SIZE - 1) * BLOCK / 12.0)
    assert seen.cost[0, 0] == pytest.approx((SIZE - 1) * BLOCK / 24.0)


def test_fitted_trips_meet_the_counts_when_the_prior_is_weak():
    city = grid_city()
    seen = seen_by(city, (0, 1), (4, 3), (20, 21), (24, 23))
    prior = prior_table(city, seen.cost, 0.0)
    true = fit_factors(prior, seen.share, np.array([900.0, 300, 500, 700]), 1e-6, 200)
    np.testing.assert_allclose(seen.share @ true.ravel(), [900, 300, 500, 700], rtol=0.02)


def test_a_strong_prior_keeps_the_pattern_and_only_scales_it():
    city = grid_city()
    seen = seen_by(city, (0, 1), (4, 3))
    prior = prior_table(city, seen.cost, 0.0)
    fitted = fit_factors(prior, seen.share, np.array([900.0, 300]), 1e12)
    np.testing.assert_allclose(fitted / fitted.sum(), prior, rtol=1e-6)
    assert (seen.share @ fitted.ravel()).sum() == pytest.approx(1200)


def test_zones_that_no_counter_sees_keep_their_share_of_the_prior():
    city = grid_city()
    seen = seen_by(city, (0, 1))
    prior = prior_table(city, seen.cost, 0.0)
    fitted = fit_factors(prior, seen.share, np.array([900.0]), 50.0)
    ratio = fitted / prior
    assert ratio[2, 3] == pytest.approx(ratio[3, 2])


def test_cross_validation_prefers_the_prior_that_made_the_counts():
    city = with_gateways(grid_city(**spur()))
    every = [(a, a + 1) for a in range(24) if a % 5 < 4] + [(a, a + 5) for a in range(20)]
    seen = seen_by(city, *every)
    made = prior_table(city, seen.cost, 0.5).ravel() * 20_000
    assert fit_trips(city, seen, seen.share, seen.share @ made).gateway_share == 0.5


def spur():
    """Let First Street go on to the west and end there."""
    city = grid_city()
    nodes, links = dict(city["nodes"]), dict(city["links"])
    for name, value in {
        "id": "west",
        "x": nodes["x"][0] - BLOCK,
        "y": nodes["y"][0],
        "lon": 145.0,
        "lat": -37.8,
    }.items():
        nodes[name] = np.append(nodes[name], value)
    for ends in ((25, 0), (0, 25)):
        links = {name: np.append(column, column[0]) for name, column in links.items()}
        links["from_node"][-1], links["to_node"][-1] = ends
        links["id"][-1] = f"w{ends[0]}"
    return {"nodes": nodes, "links": links}


def test_a_main_road_that_ends_at_the_edge_becomes_a_gateway_once():
    city = grid_city(**spur())
    assert find_gateways(city)[0].tolist() == [25]
    wider = with_gateways(city)
    assert is_gateway(wider).tolist() == [False] * 4 + [True]
    assert wider["zones"]["name"][-1] == "Gateway First Street"
    assert wider["zones"]["population"].sum() == city["zones"]["population"].sum()
    assert gateway_capacity(wider).tolist() == [0, 0, 0, 0, 1.0]
    assert with_gateways(wider) is wider


def test_a_city_without_loose_ends_has_no_gateway():
    city = grid_city()
    assert with_gateways(city) is city
