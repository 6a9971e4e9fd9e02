"""What the look ahead believes of crews: where they stand, what they do, and what is left of it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.roads import Planned, assemble
from tests.models.test_restoration import Grid, Lookahead, Restoration, Scope, city, told, world_of
from twin.contract import SECOND
from twin.models.assets import build_assets
from twin.models.restoration import kinds
from twin.models.restoration.belief import Belief, Situation
from twin.models.restoration.work import built_in, known_durations
from twin.view import Observation
from twin.world import World

BROKEN = [Planned("break", 100 * SECOND, (0,))]
ORDERED = 103.5


def believed(world):
    """Return what the policy of a run believes now, with asset 1 waiting."""
    policy = world.assembly.policies[0]
    return policy._now(Observation(world, policy, policy.sees, -1), np.array([1]))


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (100, 300 + 200 + 15_300),  # half of 600 s to set out, two links, all of the work
        (650, 100 + 15_300),  # on its way: from the last node it has told
        (900, 300 + 14_700),  # inspects: half of 600 s
        (2000, 7200 + 300),  # repairs: half of 14,400 s
        (15_900, 150),
    ],
)
def test_what_is_left_follows_what_the_crew_does(after, left):
    now = believed(world_of(BROKEN, rule=Lookahead).run(round((ORDERED + after) * SECOND)))
    assert now.under == {0: pytest.approx(left)}
    assert now.ready == pytest.approx([left])


def test_a_crew_at_its_depot_needs_its_time_to_set_out_and_one_on_its_way_back_does_not():
    world = world_of(BROKEN, crews=2, rule=Lookahead).run(50 * SECOND)
    assert believed(world).ready == pytest.approx([600.0, 600.0])
    back = told(world.run(17_000 * SECOND), "repair_done")[0][0]
    world = world_of(BROKEN, crews=2, rule=Lookahead).run(round((back + 50) * SECOND))
    assert sorted(believed(world).ready.tolist()) == pytest.approx([0.0, 600.0])


def test_work_left_counts_half_of_the_step_going_on():
    place = city()
    belief = Belief(place, build_assets(place), np.zeros(1, dtype=np.int64), known_durations(place, ""))
    stages = (kinds.DRIVING, kinds.INSPECTING, kinds.ISOLATING, kinds.WAITING)
    assert [belief.left(0, stage, False) for stage in stages] == [15_300, 15_000, 14_700, 14_700]
    stages = (*stages, kinds.REPAIRING, kinds.TESTING)
    assert [belief.left(0, stage, True) for stage in stages] == [8100, 7800, 7500, 7500, 7500, 150]


def test_a_crew_that_waits_for_the_water_to_fall_has_done_none_of_the_repair_or_part_of_it():
    wet = [Planned("water", at * SECOND, (0,), {"depth": depth}) for at, depth in ((50, 1.0), (5000, 0.1), (9000, 1.0))]
    world = world_of([*wet, *BROKEN], rule=Lookahead)
    for now, stage, left in ((4000, kinds.WAITING, 14_700), (8000, kinds.REPAIRING, 7500), (9900, kinds.WAITING, 7500)):
        believes = believed(world.run(now * SECOND))
        assert (world.state["crew.stage"][0], believes.under) == (stage, {0: pytest.approx(left)})


def test_its_first_ranking_reckons_with_the_table_of_durations_that_it_is_given():
    table = str(built_in().with_name("infrarisk.csv"))
    parts = [Restoration(), Grid(), Scope()], [Lookahead()]
    world = World(assemble(city(), *parts, [], 60_000, 1, {"lookahead": {"durations": table}}))
    policy = world.assembly.policies[0]
    belief = Belief(city(), policy.assets, policy.skill, known_durations(city(), table))
    assert policy.hours == pytest.approx(belief.takes / 3600)
    assert policy.belief.takes == pytest.approx(belief.takes)


def test_each_further_trip_is_prepared():
    place = city()
    assets = build_assets(place)
    belief = Belief(place, assets, np.zeros(1, dtype=np.int64), known_durations(place, ""))
    waiting = np.array([0, 1])
    failed = np.isin(np.arange(len(assets.kind)), waiting)
    cost = [
        belief.cost(Situation(failed, np.zeros(1), again, np.zeros((1, 2)), np.zeros((2, 2)), waiting, {}), (0, 1), 1e6)
        for again in (0.0, 1000.0)
    ]
    only_second = belief.dark(np.arange(len(failed)) == 1)
    assert cost[1] - cost[0] == pytest.approx(1000 * only_second)
    assert only_second > 0
