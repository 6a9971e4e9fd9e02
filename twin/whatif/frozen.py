"""Models that stand still in a branch: what they published stays, nothing of theirs is computed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from twin.assembly import DECISION, SETTLE, TIMER, Assembly
from twin.contract import Component
from twin.errors import DataError
from twin.procedure import RENEGE, WAKE
from twin.rows import give_back

if TYPE_CHECKING:
    from twin.fields import State


class Still(Component):
    """Takes the events of frozen models and does nothing."""

    name = "frozen"


def check_frozen(assembly: Assembly, names: Iterable[str]) -> frozenset[str]:
    """Return names of models and feeds to freeze; DataError names the nearest one."""
    known = [component.name for component in assembly.components]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.4)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(f"no model or feed {name!r} to freeze here (there are {', '.join(known)}){hint}")
    return frozenset(names)


def all_but(assembly: Assembly, *names: str) -> tuple[str, ...]:
    """Return all models and feeds but some: what to freeze to run these alone."""
    kept = check_frozen(assembly, names)
    return tuple(component.name for component in assembly.components if component.name not in kept)


def freeze(assembly: Assembly, names: Collection[str]) -> None:
    """Take models out of the loop of an assembly nobody runs yet; their fields stay and can be read."""
    still = Still()
    numbers = {i for i, component in enumerate(assembly.components) if component.name in names}
    assembly.laggards = {k: [i for i in found if i not in numbers] for k, found in assembly.laggards.items()}
    assembly.by_name = {**assembly.by_name, still.name: still}
    for declared in ("owned", "readable", "adds"):
        setattr(assembly, declared, {**getattr(assembly, declared), still.name: set()})
    assembly.solvers = [solver for solver in assembly.solvers if solver[1].name not in names]
    assembly.components = [component for component in assembly.components if component.name not in names]
    assembly.handler = {k: still if c.name in names else c for k, c in assembly.handler.items()}
    assembly.listeners = {k: [c for c in found if c.name not in names] for k, found in assembly.listeners.items()}


def drop_pending(state: State, assembly: Assembly, names: Collection[str]) -> None:
    """Drop the pending work of frozen models, and the decisions of policies that could only order them.

    assembly  one that `freeze` has worked on
    """
    for row in np.flatnonzero(state["pending.alive"]).tolist():
        kind, target = assembly.kinds[int(state["pending.kind"][row])], int(state["pending.target"][row])
        if _is_idle(state, assembly, names, kind, target):
            give_back(state, "pending", row)
            if kind == WAKE:
                state["job.pending"][target] = -1


def _is_idle(state: State, assembly: Assembly, names: Collection[str], kind: str, target: int) -> bool:
    """Tell a pending event that would do nothing in a world with frozen models."""
    if kind in {TIMER, DECISION}:
        orders = assembly.policies[target].commands
        return all(assembly.handler[o].name == Still.name for o in orders if o in assembly.handler)
    if kind in {WAKE, RENEGE}:
        job = target if kind == WAKE else int(state["claim.job"][target])
        return assembly.procedures[int(state["job.procedure"][job])][0].name in names
    if kind == SETTLE:
        return not any(number == target for number, _, _ in assembly.solvers)
    return kind in assembly.handler and assembly.handler[kind].name == Still.name
