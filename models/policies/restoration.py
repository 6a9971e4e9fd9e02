"""In which order failed assets are repaired: as reported, or hospitals first.

All rules here send the free crew of the right skill that is expected to be there first, by reported
travel times, to the asset that comes first in their order.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import MINUTE, Command, Option, Policy, Setup
from twin.errors import CityError
from twin.models.assets import KINDS, SKILL_OF_KIND, SKILLS, Assets, build_assets
from twin.models.restoration.crews import build_crews
from twin.models.streets import build_streets, shortest_tree

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import Observation

Array = np.ndarray[Any, Any]

_SEES = ("repair.reported", "repair.assigned", "crew.free", "crew.node", "observed_link.time")


class FirstCome(Policy):
    """Repair assets in the order in which their failures were reported."""

    name = "first_come"
    role = "restoration"
    sees: ClassVar[tuple[str, ...]] = _SEES
    requires: ClassVar[tuple[str, ...]] = _SEES
    commands = ("repair",)
    every = 5 * MINUTE
    on = ("repair_wanted", "crew_free")
    source = "first come, first served: the baseline without any ranking"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the streets, the assets and the skills of crews."""
        self.streets = build_streets(setup.city)
        self.assets = build_assets(setup.city)
        self.skill, self.needs = build_crews(setup.city).skill, self.assets.skill
        return {}

    def decide(self, observation: Observation) -> list[Command]:
        """Give each asset that waits a crew, as long as crews are free."""
        waiting = np.flatnonzero((observation["repair.reported"] >= 0) & ~observation["repair.assigned"])
        if not waiting.shape[0]:
            return []
        free = [leader.row for leader in observation.agents("crew").select(lambda leader: leader.free)]
        commands = []
        for asset in waiting[self.order(observation, waiting)].tolist():
            crews = [crew for crew in free if self.skill[crew] == self.needs[asset]]
            if not crews:
                continue
            tree = shortest_tree(self.streets, observation["observed_link.time"], self.assets.node[asset], reverse=True)
            reach = tree.time[observation["crew.node"][crews]]
            if not np.isfinite(reach).any():
                continue
            crew = crews[int(np.argmin(reach))]
            free.remove(crew)
            commands.append(Command("repair", asset, float(crew)))
        return commands

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return the positions of waiting assets in the order of repair."""
        return np.argsort(observation["repair.reported"][waiting], kind="stable")


class HospitalFirst(FirstCome):
    """Repair what feeds hospitals first, then what feeds most customers."""

    name = "hospital_first"
    source = "common practice of utilities: essential facilities first, then the most customers per repair"

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return assets by hospitals fed, then by customers fed, then by report."""
        essential = -(self.assets.hospitals[waiting] > 0).astype(np.int64)
        return np.lexsort((observation["repair.reported"][waiting], -self.assets.customers[waiting], essential))


class ListedOrder(FirstCome):
    """Repair assets in the order a planner wrote down; what is not on the list comes last."""

    name = "listed_order"
    options: ClassVar[tuple[Option, ...]] = (
        Option("order", "ids of lines, substations, pipes, pumps and links, split at commas", "text", ""),
    )
    source = "a plan written by hand, or taken from a published case"

    def examine(self, setup: Setup) -> list[str]:
        """Return the ids on the list that no crew can repair, each with the reason or the nearest one."""
        return _unknown(_listed(setup), _by_id(setup.city, build_assets(setup.city)), setup.city)

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find the assets of the list; raise CityError for ids that no repairable asset has."""
        super().setup(setup)
        names, row = _listed(setup), _by_id(setup.city, self.assets)
        wrong = _unknown(names, row, setup.city)
        if wrong:
            raise CityError("; ".join(wrong))
        self.rank = np.full(self.assets.count, self.assets.count)
        for place, name in enumerate(names):
            self.rank[row[name]] = place
        return {}

    def order(self, observation: Observation, waiting: Array) -> Array:
        """Return assets by their place on the list, then by report."""
        return np.lexsort((observation["repair.reported"][waiting], self.rank[waiting]))


def _listed(setup: Setup) -> list[str]:
    """Return the ids that a planner wrote down."""
    return [name.strip() for name in str(setup.options["order"]).split(",") if name.strip()]


def _by_id(city: City, assets: Assets) -> dict[str, int]:
    """Return the first asset of each id."""
    found: dict[str, int] = {}
    for asset, (kind, row) in enumerate(zip(assets.kind.tolist(), assets.row.tolist(), strict=True)):
        found.setdefault(str(city[f"{KINDS[kind]}s"]["id"][row]), asset)
    return found


def _unknown(names: list[str], rows: dict[str, int], city: City) -> list[str]:
    """Say of each id that is none of an asset why: nobody has the skill, or nothing has the id."""
    return [_why_not(name, rows, city) for name in names if name not in rows]


def _why_not(name: str, rows: dict[str, int], city: City) -> str:
    for kind, skill in zip(KINDS, SKILL_OF_KIND, strict=True):
        table = f"{kind}s"
        if table in city and name in city[table]["id"]:
            return f"listed_order: {table} {name}: no crew repairs it, for no depot is of the kind {SKILLS[skill]!r}"
    near = get_close_matches(name, rows, 1, 0.3)
    hint = f"; the nearest is {near[0]!r}" if near else ""
    return f"listed_order: no asset that crews repair has the id {name!r}{hint}"
