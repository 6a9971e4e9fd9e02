"""Choose the order of repairs by trying orders out on what is believed of the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Command, Option, Setup
from twin.models.policies.restoration_ranked import JointPowerWater
from twin.models.restoration.belief import Belief, Situation
from twin.models.restoration.crews import build_crews
from twin.models.restoration.kinds import AT_DEPOT, DRIVING, LOADING, OFF_DUTY, PREPARING
from twin.models.restoration.ranking import capacities
from twin.models.streets import shortest_tree

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]
_MORE = ("crew.asset", "crew.stage", "repair.begun")
_AT_DEPOT = (AT_DEPOT, OFF_DUTY, LOADING)
_BEFORE_WORK = (*_AT_DEPOT, PREPARING, DRIVING)


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
        Option("mobilisation", "expected time to leave a depot", "quantity", 600.0, "s", low=0),
        Option("preparation", "expected time before each further trip", "quantity", 0.0, "s", low=0),
        Option("depth", "waiting assets whose order is searched, best ranked ones first", "integer", 8, low=1, high=40),
    )
    source = "rollout over a base heuristic: Bertsekas, Tsitsiklis, Wu, Journal of Heuristics 3 (1997) 245-262"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the belief's constants."""
        super().setup(setup)
        self.load = capacities(setup.city, self.assets)
        self.belief = Belief(setup.city, self.assets, self.skill, self.durations)
        self.horizon, self.budget = float(setup.options["horizon"]), int(setup.options["budget"])
        self.depth, self.preparation = int(setup.options["depth"]), float(setup.options["preparation"])
        crews = build_crews(setup.city)
        self.depot, self.set_out = crews.node, float(setup.options["mobilisation"]) + crews.lead / SECOND
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
        nodes, at = self.assets.node[first], observation["crew.node"]
        trees = [self._times_to(observation, node) for node in nodes.tolist()]
        reach, between = (np.array([tree[ends] for tree in trees]).T for ends in (at, nodes))
        stage = observation["crew.stage"]
        there = np.isin(stage, _AT_DEPOT) | ((stage == PREPARING) & (at == self.depot))
        prepares = np.where(there, self.set_out, self.preparation)
        ready, under = np.where(observation["crew.free"], prepares, np.inf), {}
        for crew in np.flatnonzero(observation["crew.asset"] >= 0).tolist():
            asset = int(observation["crew.asset"][crew])
            under[asset] = self._left(observation, crew, asset, float(prepares[crew]))
            ready[crew] = under[asset] + self.preparation
        return Situation(observation["repair.reported"] >= 0, ready, self.preparation, reach, between, first, under)

    def _left(self, observation: Observation, crew: int, asset: int, prepares: float) -> float:
        """Return how long a crew is expected to need until its asset is back, s; half of a stage going on."""
        stage = int(observation["crew.stage"][crew])
        left: float = self.belief.left(asset, stage, bool(observation["repair.begun"][asset]))
        if stage in _BEFORE_WORK:
            left += self._times_to(observation, int(self.assets.node[asset]))[observation["crew.node"][crew]]
        if stage in _BEFORE_WORK and stage != DRIVING:
            left += prepares / 2
        return left

    def _times_to(self, observation: Observation, node: int) -> Array:
        """Return the reported travel time from every node, s."""
        return shortest_tree(self.streets, observation["observed_link.time"], node, reverse=True).time
