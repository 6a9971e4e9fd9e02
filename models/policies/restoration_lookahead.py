"""Choose the order of repairs by trying orders out on what is believed of the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import Command, Option, Setup
from twin.models.policies.restoration_ranked import JointPowerWater
from twin.models.restoration.belief import Belief, Situation
from twin.models.restoration.ranking import capacities
from twin.models.restoration.work import known_durations
from twin.models.streets import shortest_tree

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]
_MORE = ("crew.asset",)


class Lookahead(JointPowerWater):
    """Branch the belief over orders of repair, take the cheapest, and decide again at every report.

    Only the first repairs of the best order are given out: the horizon rolls on with each decision.
    """

    name = "lookahead"
    sees = (*JointPowerWater.sees, *_MORE)
    requires = (*JointPowerWater.requires, *_MORE)
    options: ClassVar[tuple[Option, ...]] = (
        Option("horizon", "how far each future is followed", "quantity", 86400.0, "s", low=600),
        Option("budget", "orders tried per decision", "integer", 60, low=1, high=10000),
        Option("durations", "table of durations it reckons with, for the built-in one", "path", ""),
        Option("depth", "waiting assets whose order is searched, best ranked ones first", "integer", 8, low=1, high=40),
    )
    source = "rollout over a base heuristic: Bertsekas, Tsitsiklis, Wu, Journal of Heuristics 3 (1997) 245-262"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the belief's constants."""
        super().setup(setup)
        self.load = capacities(setup.city, self.assets)
        durations = known_durations(setup.city, str(setup.options["durations"]), setup.folder)
        self.belief = Belief(setup.city, self.assets, self.skill, durations)
        self.horizon, self.budget = float(setup.options["horizon"]), int(setup.options["budget"])
        self.depth = int(setup.options["depth"])
        return {}

    def decide(self, observation: Observation) -> list[Command]:
        """Search only while a crew is free: an order without a crew cannot be carried out."""
        return super().decide(observation) if observation["crew.free"].any() else []

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return the cheapest order found, the rest behind it as ranked."""
        ranked = super().order(observation, waiting)
        first, rest = waiting[ranked[: self.depth]], ranked[self.depth :]
        now, reported = self._now(observation, first), observation["repair.reported"][first]
        bases = (
            range(first.shape[0]),
            np.argsort(-self.load[first], kind="stable"),
            np.argsort(reported, kind="stable"),
        )
        start = min(([int(i) for i in base] for base in bases), key=lambda o: self.belief.cost(now, o, self.horizon))
        best = self.belief.best(now, start, self.horizon, self.budget)
        return np.concatenate([ranked[best], rest]).astype(np.int64)

    def _now(self, observation: Observation, first: Array) -> Situation:
        nodes, at, busy = self.assets.node[first], observation["crew.node"], observation["crew.asset"]
        live = observation["observed_link.time"]
        trees = [shortest_tree(self.streets, live, node, reverse=True).time for node in nodes.tolist()]
        takes = np.where(busy >= 0, self.belief.takes[np.maximum(busy, 0)], 0.0) / 2
        under = {int(asset): float(left) for asset, left in zip(busy, takes, strict=True) if asset >= 0}
        reach, between = (np.array([tree[ends] for tree in trees]).T for ends in (at, nodes))
        ready = np.where(observation["crew.free"] | (busy >= 0), takes, np.inf)
        return Situation(observation["repair.reported"] >= 0, ready, reach, between, first, under)
