"""Orders of repair by what an asset is worth to its network, or to power and water together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Setup
from twin.models.assets import KINDS, PUMP, household_of
from twin.models.policies.restoration import FirstCome
from twin.models.restoration.ranking import betweenness, capacities, persons_per_pump, pumps_fed
from twin.models.restoration.work import STEPS, known_durations

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]


class LargestCapacity(FirstCome):
    """Repair what carries most when all works first."""

    name = "largest_capacity"
    source = "handling capacity strategy of InfraRisk, github.com/srijithbalakrishnan/dreaminsg-integrated-model"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Rank assets by the load, flow or traffic they are built for."""
        super().setup(setup)
        self.worth = capacities(setup.city, self.assets)
        return {}

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return assets by worth, then by report."""
        return np.lexsort((observation["repair.reported"][waiting], -self.worth[waiting]))


class MostBetween(FirstCome):
    """Repair what most shortest paths of its network lead through first."""

    name = "betweenness"
    source = "centrality strategy of InfraRisk, github.com/srijithbalakrishnan/dreaminsg-integrated-model"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Rank assets by betweenness."""
        super().setup(setup)
        self.worth = betweenness(setup.city, self.assets)
        return {}

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return assets by betweenness, then by report."""
        return np.lexsort((observation["repair.reported"][waiting], -self.worth[waiting]))


class JointPowerWater(FirstCome):
    """Repair first what brings most persons their power and water back per hour of work.

    A pump counts for nothing while something on the list cuts its power: it would not run.
    """

    name = "joint_power_water"
    source = "Smith's rule, weight over processing time: Smith, Naval Research Logistics Quarterly 3 (1956) 59-66"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Count persons with power and with water behind each asset, and the hours it takes."""
        super().setup(setup)
        city = setup.city
        self.durations = known_durations(city, str(setup.options.get("durations", "")), setup.folder)
        hours = [sum(self.durations[kind, step].mean for step in STEPS) / 3600 for kind in KINDS]
        persons = household_of(city)
        self.fed, self.share = pumps_fed(city, self.assets), persons_per_pump(city)
        self.direct = self.assets.customers * np.where(self.needs == 0, persons, 1.0)
        self.hours = np.asarray(hours)[self.assets.kind]
        return {}

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return assets by persons served again per hour of work, then by report."""
        listed = (observation["repair.reported"] >= 0) & (self.assets.kind != PUMP)
        dark = self.fed[listed].any(axis=0)
        alone = self.fed & np.where((self.assets.kind == PUMP)[:, None], ~dark, True)
        rate = (self.direct + alone @ self.share)[waiting] / self.hours[waiting]
        return np.lexsort((observation["repair.reported"][waiting], -rate))
