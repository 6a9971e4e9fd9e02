"""Who drives with siren: told by hand on the line city, every link three times as slow, a siren feels half of it.

The east unit sets off at 252 s to a call one link away: 200 s with siren, 300 s without.
The hospital is where it came from.
"""

import pytest

from tests.models.emergency.service_world import seconds, service
from tests.models.roads import Planned
from twin.contract import SECOND
from twin.world import World

URGENT, OTHER = 1, 2
"""Seeds with which the call has priority 1 and 3."""


def slow_town(seed, **given):
    slow = Planned("slow", SECOND, tuple(range(8)), {"factor": 3.0})
    call = Planned("surge", 100 * SECOND, (1,), {"calls": 1, "duration": 0})
    return service([call, slow], seed=seed, siren_share=0.5, **given)


@pytest.mark.parametrize(
    ("seed", "siren", "scene", "hospital"),
    [
        (URGENT, "always", 200, 200),
        (OTHER, "always", 200, 200),
        (URGENT, "urgent", 200, 200),
        (OTHER, "urgent", 300, 300),
    ],
)
def test_priority_decides_who_drives_with_siren(seed, siren, scene, hospital):
    world = slow_town(seed, siren=siren).run()
    assert seconds(world, "on_scene") == 252 + scene
    assert seconds(world, "at_hospital") == 252 + scene + 600 + hospital
    assert world.check() == []


def test_a_unit_on_its_way_back_is_quiet_and_sounds_for_the_next_urgent_call():
    world = slow_town(URGENT, siren="urgent", duration=3000)
    assert not world.run(500 * SECOND).state["unit.quiet"][1]
    # Handed over at 452 + 600 + 200 + 900 s.
    assert world.run(2160 * SECOND).state["unit.quiet"][1]


@pytest.mark.parametrize("at", [260, 400, 560, 1200])
def test_sirens_keep_the_law(tmp_path, at):
    whole, world = slow_town(OTHER, siren="urgent").run(), slow_town(OTHER, siren="urgent")
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
