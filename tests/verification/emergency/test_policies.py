"""Signs that the literature reports of rules of dispatch and relocation, and the bound that none may beat."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from twin.models.emergency.alone import Driving, Region, Rules, build_network, simulate
from twin.models.emergency.dispatch_table import solve_dispatch
from twin.models.emergency.offline_bound import CallTrace, offline_bound
from twin.models.location import covering_matrix, maximal_expected_covering
from twin.stats.verdict import Figure, compare_arms

SIDE = 15
WIDE, CITY = (160.0, 900.0), (40.0, 380.0)
"""Seconds of road between two neighbouring places (2.5 km and 625 m at 56 km/h), and the response wanted (s)."""

BEFORE, SCENE, HANDOVER = 180.0, 720.0, 900.0
BUSY = 0.3
PAIRS = 12
"""Replications, numbered from 0: chosen before the first look."""


@cache
def country(step):
    """Return nodes (m), arcs, seconds per arc and weight of a region like Utrecht's: towns in a plain.

    225 places, as Utrecht's 217 postcode areas; most people live in a city and three towns (assumption).
    """
    xy = np.array([(i, j) for i in range(SIDE) for j in range(SIDE)], float)
    near = [(a, b) for a in range(SIDE**2) for b in range(SIDE**2) if np.abs(xy[a] - xy[b]).sum() == 1]
    towns = ((7, 7, 6.0), (12, 11, 2.0), (2, 3, 2.0), (3, 12, 1.5))
    weight = 0.03 + sum(size * np.exp(-((xy[:, 0] - x) ** 2 + (xy[:, 1] - y) ** 2) / 3) for x, y, size in towns)
    return xy * step * 15.625, np.array(near), np.full(len(near), step), weight / weight.sum()


@cache
def travel(step=WIDE[0]):
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    xy, arcs, times, _ = country(step)
    return dijkstra(coo_matrix((times, (arcs[:, 0], arcs[:, 1])), shape=(len(xy),) * 2).tocsr())


def weight():
    return country(WIDE[0])[3]


def service(bases, units, kind=WIDE):
    """Return the region with bases at some nodes and units at some bases."""
    xy, arcs, times, demand = country(kind[0])
    network = build_network(xy, arcs[:, 0], arcs[:, 1], times[None])
    hospitals = pd.DataFrame({"node": [7 * SIDE + 7, 12 * SIDE + 11, 2 * SIDE + 3], "walk": 0.0})
    return Region(
        network,
        pd.DataFrame({"node": bases, "walk": 0.0}),
        hospitals,
        pd.DataFrame({"station": units}),
        pd.DataFrame({"name": ["urgent"], "target": [kind[1]]}),
        Driving(np.array([0.3]), np.array([0.0]), np.zeros((1, 3), np.int64)),
        np.zeros((1, 1), bool),
        pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "weight": demand}),
    )


def calls(count, gap, seed, transport=0.8):
    rng = np.random.Generator(np.random.Philox(seed))
    node = rng.choice(SIDE**2, count, p=weight())
    return pd.DataFrame(
        {
            "arrive": np.cumsum(rng.exponential(gap, count)),
            "node": node,
            "zone": node,
            "priority": 0,
            "answer": BEFORE - 60.0,
            "mobilise": 60.0,
            "scene": rng.exponential(SCENE, count),
            "transport": rng.random(count) < transport,
            "handover": rng.exponential(HANDOVER, count),
        }
    )


@cache
def bases(count, kind=WIDE):
    """Return nodes of bases by MEXCLP, at most one unit each."""
    covered = covering_matrix(travel(kind[0]), kind[1], BEFORE)
    return maximal_expected_covering(covered, weight(), count, 0.4, capacity=1, method="search").site


def shares(region, rules, drawn):
    """Return late share and mean response under each list of calls, by its number."""
    found = [simulate(region, one, replace(rules, log=False)).figures for one in drawn]
    return {name: {i: figures[name] for i, figures in enumerate(found)} for name in ("late_share", "response_mean")}


def verdicts(region, rules, drawn):
    """Print and return the family verdicts on late share and mean response of each rule against the first."""
    judged = [Figure("late_share", "1", "lower"), Figure("response_mean", "s", "lower")]
    values = {name: shares(region, one, drawn) for name, one in rules.items()}
    found = compare_arms(judged, values, next(iter(rules)))
    for name, both in found.items():
        told = (f"{c.figure.name} {c.mean_a:.4g} {c.difference:+.3g}: {c.family_verdict}" for c in both)
        print(f"{name}: {'; '.join(told)} ({len(drawn)} pairs)")
    return {name: tuple(one.family_verdict for one in both) for name, both in found.items()}


def utrecht():
    """Return 19 units on 18 bases placed by MEXCLP, as in Jagtenberg et al. (2015)."""
    covered = covering_matrix(travel()[bases(18)], WIDE[1], BEFORE)
    return service(bases(18), maximal_expected_covering(covered, weight(), 19, BUSY, method="search").site)


def test_relocation_and_dispatch_by_coverage_on_a_region_like_utrechts():
    """Relocation lowers late share and mean response; dispatch fewer late calls, longer mean response.

    Jagtenberg et al. (2015); Jagtenberg, Bhulai, van der Mei (2017), abstract: 18 % fewer late, mean 37 % longer.
    """
    rules = {
        "static": Rules(),
        "relocation": Rules(move_up="dmexclp", busy=BUSY),
        "dispatch": Rules("dmexclp", busy=BUSY),
    }
    found = verdicts(utrecht(), rules, [calls(4_000, 300.0, seed) for seed in range(PAIRS)])
    assert found == {"relocation": ("better", "better"), "dispatch": ("better", "worse")}


class Process:
    """The table of a decision process as a rule of the compiled engine; the closest where its unit would be late."""

    def __init__(self, kind, units, gap):
        way = travel(kind[0])[bases(units, kind)]
        late = (way + BEFORE > kind[1]).astype(float)
        mean = 60.0 + float(way.min(axis=0) @ weight()) + SCENE + 0.8 * HANDOVER
        self.table = solve_dispatch(weight() / gap, 1 / mean, late, 1.0)

    def dispatch(self, desk):
        from twin.kernels.emergency_arrays import ARRIVE, ZONE

        call, idle = desk.case.demand.call[desk.call], desk.eta < 1 << 62
        unit = self.table.send(~idle, int(call[ZONE]))
        left = desk.case.settings.target[0] - (desk.now - call[ARRIVE])
        return unit if unit >= 0 and idle[unit] and desk.eta[unit] <= left else int(desk.eta.argmin())


def test_the_process_lowers_the_late_share_and_raises_the_mean_response():
    """Jagtenberg et al. (2017), with their line of waiting calls, hospitals and ways of every length.

    The process takes all services as equally long, so the region is a city: short ways beside the work on scene.
    """
    region = service(bases(8, CITY), range(8), CITY)
    rules = {"closest": Rules(), "process": Rules(Process(CITY, 8, 600.0)), "coverage": Rules("dmexclp", busy=0.4)}
    found = verdicts(region, rules, [calls(3_000, 600.0, seed) for seed in range(PAIRS)])
    assert found == {"process": ("better", "worse"), "coverage": ("better", "worse")}


@pytest.mark.parametrize("name", ["nearest", "preference", "dmexclp", "process"])
@pytest.mark.parametrize("gap", [400.0, 1_500.0])
def test_no_dispatch_beats_the_assignment_of_one_who_knows_all_calls(name, gap):
    region, trace = service(bases(6), range(6)), calls(300, gap, 5)
    known_for = BEFORE - 60.0
    lists = np.argsort(travel()[bases(6)], axis=0, kind="stable").T
    rules = Rules(Process(WIDE, 6, gap)) if name == "process" else Rules(name, preference=lists)
    figures = simulate(region, trace, rules).figures
    hospital = region.hospitals["node"].to_numpy()
    nearest = hospital[travel()[:, hospital].argmin(axis=1)][trace["node"]]
    carried = trace["transport"].to_numpy()
    way = np.where(carried, travel()[trace["node"], nearest] + trace["handover"], 0.0)
    known = CallTrace(
        trace["arrive"] + trace["answer"], trace["node"], np.where(carried, nearest, trace["node"]),
        trace["scene"] + way, 0.0 * trace["arrive"], bases(6),
    )  # fmt: skip
    bound = offline_bound(known, travel(), WIDE[1] - known_for, stations=bases(6), both_ways=True)
    assert figures["response_mean"] - known_for >= bound.mean_response
    assert figures["late_share"] >= bound.late_share
    assert bound.mean_response > 30


@pytest.mark.slow
@pytest.mark.data
def test_no_rule_of_the_twin_beats_the_bound_in_manhattan():
    if not os.environ.get("TWIN_DATA"):
        pytest.skip("TWIN_DATA is not set")
    import twin
    from twin.execution.run import assemble
    from twin.world import World

    cases = {case.arm: case for case in reversed(list(twin.load("dispatch_policies").cases()))}
    worlds = {arm: World(assemble(replace(case, duration=3 * 3_600_000_000))).run() for arm, case in cases.items()}
    states = [world.state for world in worlds.values()]
    done = np.flatnonzero(np.all([state["call.closed"] >= 0 for state in states], axis=0))
    bound = _bound_of(worlds["closest_idle"], states, done)
    for arm, world in worlds.items():
        response = (world.state["call.on_scene"] - world.state["call.triaged"])[done] / 1e6
        assert response.mean() >= bound.mean_response, arm
    assert len(done) > 30
    assert bound.mean_response > 30


def _bound_of(world, states, done):
    """Return the bound over calls that every rule has closed; leaving calls out only lowers it."""
    from twin.models.streets import build_streets, shortest_tree

    city = world.assembly.city
    node, hospital = states[0]["call.node"][done], np.asarray(city["hospitals"]["node"])
    home = np.repeat(city["stations"]["node"], city["stations"]["units"])
    places, row = np.unique(np.concatenate([node, hospital, home]), return_inverse=True)
    streets = build_streets(city)
    way = np.array([shortest_tree(streets, streets.free_time, p).time[places] for p in places.tolist()])
    scene, sites = row[: len(node)], row[len(node) : len(node) + len(hospital)]
    carried = states[0]["call.at_hospital"][done] >= 0
    end = np.where(carried, sites[way[scene][:, sites].argmin(axis=1)], scene)
    busy = np.min([(s["call.closed"] - s["call.on_scene"])[done] for s in states], axis=0) / 1e6
    trace = CallTrace(states[0]["call.triaged"][done] / 1e6, scene, end, busy, 0.0 * busy, row[-len(home) :])
    return offline_bound(trace, way, stations=np.unique(row[-len(home) :]))
