"""What the service reads of the rest of the city, as reels for the kernel `standstill`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.emergency.hospitals import lacks
from twin.models.travel import ROAD_READS

if TYPE_CHECKING:
    from twin.world import World

Array = np.ndarray[Any, Any]


HELP = ("call.work", "call.held")


@dataclass(frozen=True)
class Topic:
    """One thing the service reads.

    fields  whose change changes it
    look    returns it as it is now; arrays of its own
    order   place of its changes within an instant: 0 with events of models, 1 with those of feeds
    """

    fields: tuple[str, ...]
    look: Callable[[World], tuple[Array, ...]]
    order: int = 0


def roads(world: World) -> tuple[Array, ...]:
    """Return the seconds each link takes a unit, inf where it cannot drive, and which are not closed; (n_link,)."""
    model: Any = world.assembly.by_name["emergency"]
    view = world.view("emergency")
    return model.fleet.link_times(view), view["link.open"].copy()


def bays(world: World) -> tuple[Array, ...]:
    """Return the factor on the handover in each hospital; (n_hospital,)."""
    model: Any = world.assembly.by_name["emergency"]
    return (np.where(lacks(world.view("emergency")), model.dark_factor, 1.0),)


def sites(world: World) -> tuple[Array, ...]:
    """Return from which nodes reports get through; (n_node,)."""
    avl: Any = world.assembly.by_name["avl"]
    heard = np.ones(avl.site_of_node.shape[0], np.bool_)
    if avl.timing.is_carried and "site.alive" in world.state:
        heard = (avl.site_of_node < 0) | world.state["site.alive"][avl.site_of_node]
    return (heard,)


def seen(world: World) -> tuple[Array, ...]:
    """Return the travel times as observed (s); (n_link,)."""
    return (world.state["observed_link.time"].copy(),)


def helped(world: World) -> tuple[Array, ...]:
    """Return what others add to the work of units on scene, a sum of each kind."""
    view, groups = world.view("emergency"), world.assembly.group_arrays
    return tuple(view.total(name).sum(keepdims=True) for name in HELP if name in groups)


def topics(world: World) -> dict[str, Topic]:
    """Return all that the service reads of others."""
    found = {
        "road": Topic(ROAD_READS, roads),
        "bay": Topic(("hospital.powered", "hospital.waterless"), bays),
        "site": Topic(("site.alive",), sites),
        "help": Topic(HELP, helped),
        "seen": Topic(("observed_link.time",), seen, order=1),
    }
    known = world.assembly.fields
    return {name: Topic(tuple(f for f in t.fields if f in known), t.look, t.order) for name, t in found.items()}


Film = Mapping[str, Sequence[tuple[int, int, tuple[Array, ...]]]]
"""Of each topic: instant (us), order within it, what was there from then on."""


def still(world: World) -> Film:
    """Return the film of a world in which nothing but the service goes on."""
    return {name: [(-1, 0, topic.look(world))] for name, topic in topics(world).items()}


def reels(film: Film) -> dict[str, Any]:
    """Return a film as constants of the kernel, but what a policy makes of observed travel times."""
    from twin.kernels.standstill_arrays import Reel

    times, is_open = _columns(film["road"])
    drivable = np.where(np.isfinite(times), times, 0.0)
    parts = {}
    for name in ("road", "bay", "site", "seen"):
        parts[name] = Reel(*(np.array([shot[i] for shot in film[name]], np.int64) for i in (0, 1)))
    return {
        **parts,
        "road_time": times,
        "road_us": np.maximum(np.rint(drivable * SECOND), 1.0).astype(np.int64),
        "road_open": is_open,
        "bay_factor": _columns(film["bay"])[0],
        "heard": _columns(film["site"])[0],
    }


def expected(film: Film, free: Array, share: float) -> Array:
    """Return the seconds a policy expects on each link over time; (n_seen, n_link).

    free   (n_link,)  s at free speed
    share  part of the congestion that a unit is believed to feel
    """
    return np.asarray(free + share * np.maximum(_columns(film["seen"])[0] - free, 0.0))


def closures(film: Film) -> list[int]:
    """Return the instants (us) at which a road closed or opened."""
    return [after[0] for before, after in pairwise(film["road"]) if not np.array_equal(before[2][1], after[2][1])]


def _columns(shots: Sequence[tuple[int, int, tuple[Array, ...]]]) -> list[Array]:
    return [np.ascontiguousarray(np.stack(rows)) for rows in zip(*(shot[2] for shot in shots), strict=True)]
