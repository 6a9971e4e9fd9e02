"""A fresh future: what has not happened yet is drawn with another seed, what is known stays.

Numbers drawn while the world runs (sensor noise, repair times) follow the world's seed from the
branch on. What a component draws ahead in `setup` it has to draw anew: feeds are set up again, and
any component may say how with a method `renewed(view, setup)` that returns a Renewal.
Everything else that was drawn ahead counts as known: the trips of the day, for example.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from twin.contract import Component, Feed

if TYPE_CHECKING:
    from twin.engine import Engine

Act = Callable[["Engine"], None]


@dataclass(frozen=True)
class Renewal:
    """One component with a future of its own.

    component  a copy with other constants
    rows       rows of its tables that changed in number, never fewer
    act        what has to be rescheduled in the world that goes on with it
    """

    component: Component
    rows: Mapping[str, int] = field(default_factory=dict)
    act: Act | None = None


def future_seed(seed: int, at: int, replication: int) -> int:
    """Return the seed of the future of a replication, the same for every policy.

    seed  of the world that is branched
    at    us, the branch instant
    """
    content = hashlib.blake2b(f"{seed}:{at}:{replication}".encode(), digest_size=8).digest()
    return int.from_bytes(content, "little") >> 2


def renewals(world: Engine, seed: int) -> dict[str, Renewal]:
    """Return the components whose future differs under another seed, by name."""
    found = {}
    for component in world.assembly.components:
        renewal = _renewal(world, component, seed)
        if renewal is not None:
            found[component.name] = renewal
    return found


def _renewal(world: Engine, component: Component, seed: int) -> Renewal | None:
    assembly = world.assembly
    setup = replace(assembly.setup, seed=seed, options=assembly.options[component.name])
    own: Any = getattr(component, "renewed", None)
    if own is not None:
        made: Renewal = own(world.view(component.name), setup)
        return made
    if not isinstance(component, Feed):
        return None
    fresh = copy(component)
    fresh.setup(setup)
    return Renewal(fresh)
