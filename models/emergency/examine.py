"""Say before a run what is wrong with the plan, the calls and the hospitals of an emergency service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import DataError
from twin.models.emergency.replay import read_replay
from twin.models.emergency.service_plan import plan_of
from twin.models.plan_file import locate

if TYPE_CHECKING:
    from twin.city import City
    from twin.contract import Setup

Array = np.ndarray[Any, Any]


def faults(setup: Setup) -> list[str]:
    """Return every problem of the service plan, else of the table of calls, and hospitals without access.

    Kinds of calls are those of the plan, so a table is only read with a plan that is sound. Rows that the
    scenario leaves out are no problem; they are listed in the results.
    """
    found = []
    calls = locate(str(setup.options["calls"]), setup.folder)
    try:
        plan = plan_of(setup.city, locate(str(setup.options["service"]), setup.folder))
        if calls:
            read_replay(calls, setup, tuple(plan.incidents), leave_out=setup.options["bad_calls"] == "leave_out")
    except DataError as error:
        found += str(error).splitlines()
    lost = cut_off(setup.city)
    if lost:
        found.append(f"no road leads from any zone to hospital {', '.join(lost)}; connect it or leave it out")
    return found


def cut_off(city: City) -> list[str]:
    """Return the ids of hospitals that no road leads to from any zone."""
    zones = np.unique(np.asarray(city["zone_nodes"]["node"], dtype=np.int64))
    table = city["hospitals"]
    return [
        str(name)
        for name, node in zip(table["id"], table["node"].tolist(), strict=True)
        if not _leads_to(city, node)[zones].any()
    ]


def _leads_to(city: City, node: int) -> Array:
    """Tell from which nodes a way leads to one; (n_node,)."""
    tails, heads = (np.asarray(city["links"][column], dtype=np.int64) for column in ("from_node", "to_node"))
    order = np.argsort(heads, kind="stable")
    first = np.searchsorted(heads[order], np.arange(city.rows("nodes") + 1))
    reached = np.zeros(city.rows("nodes"), dtype=bool)
    reached[node] = True
    front = np.array([node], dtype=np.int64)
    while front.size:
        count = first[front + 1] - first[front]
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        before = tails[order[np.repeat(first[front], count) + within]]
        front = np.unique(before[~reached[before]])
        reached[front] = True
    return reached
