"""Orders of policies to models: they strike what they name, or are refused before a run."""

from __future__ import annotations

import pytest

from tests.models.utility_city import assemble, planned
from twin.contract import SECOND, Command, Policy
from twin.errors import ContractError
from twin.models.hazards import Hazards
from twin.models.power import Power
from twin.models.telecom import Telecom
from twin.world import World


class _Orders(Policy):
    """Order one event of each kind given, at the first look."""

    name = "orders"
    every = 600 * SECOND

    def __init__(self, *kinds):
        self.commands = kinds

    def decide(self, observation):
        return [Command(kind, 0) for kind in self.commands] if observation.now == 600 * SECOND else []


def test_an_ordered_blackout_strikes_its_target_whatever_the_scenario_plans():
    parts = [Power(), _Orders("blackout")]
    world = World(assemble(planned("substation_failure", 100, [1], duration=0.0), parts=parts)).run("30 min")
    assert world.state["substation.cut"].tolist() == [1, 0]


def test_an_ordered_site_failure_ends_where_it_began():
    parts = [Power(), Telecom(), _Orders("site_failure", "site_failure_end")]
    world = World(assemble(planned("site_failure", 100, [1], duration=0.0), parts=parts)).run("30 min")
    assert world.state["site.failures"].tolist()[:2] == [0, 1]


@pytest.mark.parametrize("kind", ["road_closure", "planned_work", "heat_wave", "earthquake"])
def test_orders_that_need_options_are_refused(kind):
    with pytest.raises(ContractError, match=f"cannot order '{kind}', which needs"):
        assemble(parts=[Hazards(), Power(), _Orders(kind)])
