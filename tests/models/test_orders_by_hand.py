"""Orders to places whose telecom site is silent: somebody carries them there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import MIDNIGHT, ancestors, planned, six_bus_city
from tests.models.water_city import small_city
from twin.assembly import Assembly
from twin.contract import SECOND, Command, Policy, Setup
from twin.models.power import Power
from twin.models.telecom import Telecom, _remote_sites
from twin.world import World

NEAR_SITE_0, NEAR_SITE_1 = 1, 3
SITE_0_DEAD = planned("site_failure", 100, [0], duration=1000.0)


class Switcher(Policy):
    """Opens two lines at one instant, each near another site."""

    name = "switcher"
    role = "switching"
    commands = ("switch",)
    every = 500 * SECOND

    def decide(self, observation):
        """Order both, once."""
        lines = (NEAR_SITE_0, NEAR_SITE_1) if observation.now == 500 * SECOND else ()
        return [Command("switch", line, 0.0) for line in lines]


def world_of(*events, **options):
    setup = Setup(six_bus_city(), {}, 1, MIDNIGHT, 7200 * SECOND, events)
    return World(Assembly(setup.city, [Power(), Telecom()], [Switcher()], setup, {"telecom": options}))


def opened(world):
    """Return line -> second at which it was opened."""
    return {row[2]: row[0] / SECOND for row in world.events.rows() if row[1] == "switch"}


def test_an_order_to_a_silent_place_goes_by_hand_and_one_beside_it_does_not():
    assert opened(world_of().run("30 min")) == {NEAR_SITE_0: 502.0, NEAR_SITE_1: 502.0}
    world = world_of(SITE_0_DEAD).run("30 min")
    assert opened(world) == {NEAR_SITE_1: 502.0, NEAR_SITE_0: 1402.0}
    assert not world.state["line.closed"][[NEAR_SITE_0, NEAR_SITE_1]].any()


@pytest.mark.parametrize(("by_hand", "wanted"), [(60.0, 562.0), (0.0, 502.0)])
def test_how_long_it_takes_is_an_option(by_hand, wanted):
    assert opened(world_of(SITE_0_DEAD, by_hand=by_hand).run("30 min"))[NEAR_SITE_0] == wanted


def test_a_late_order_names_the_dead_site():
    world = world_of(SITE_0_DEAD).run("30 min")
    late = [i for i, row in enumerate(world.events.rows()) if row[1] == "switch"][1]
    assert set(ancestors(world, late)) == {"switch", "order_held", "order.switch", "site_dead", "site_failure"}


def test_an_order_on_its_way_by_hand_is_saved_and_goes_on(tmp_path):
    world = world_of(SITE_0_DEAD)
    whole = world.branch().run("30 min").digest()
    folder = world.run(1000 * SECOND).save(tmp_path / "cut")
    assert World.load(folder, world.assembly).run("30 min").digest() == whole


def test_every_kind_of_device_has_the_site_next_to_it():
    masts = {**dict(six_bus_city()["sites"]), "x": np.array([0.0, 3200.0])}
    found = _remote_sites(six_bus_city(sites=masts))
    # Lines by their middles, at 1500, 500, 2500 and 4500 m; substations at 2000 and 4000 m; the signal at 1000 m.
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "lines": [0, 0, 1, 1],
        "substations": [1, 1],
        "signals": [0],
    }
    masts["x"] = np.array([0.0, 1600.0])
    # The pump stands between the lake and junction 0, at -250 m; pipes at 250, 750, 1250 and 1750 m.
    wet = {name: rows.tolist() for name, rows in _remote_sites(small_city(sites=masts)).items()}
    assert wet == {"pumps": [0], "pipes": [0, 0, 1, 1]}
