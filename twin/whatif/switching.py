"""Hand a live state over to other policies, another future, or fewer models.

A world whose policies are switched at an instant goes on exactly as one that was branched there:
both come from `switched`. All state is in named arrays, so handing over is copying columns by name;
what is numbered by position (kinds of event, fields) is renumbered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.assembly import DECISION, TIMER, Assembly
from twin.calendar import Plan
from twin.contract import DECIDE, NEVER, Component, Policy
from twin.fields import Layout, State
from twin.rows import give_back
from twin.whatif.choices import Choice
from twin.whatif.frozen import drop_pending, freeze
from twin.whatif.future import Renewal, renewals
from twin.world import World

if TYPE_CHECKING:
    from twin.engine import Engine

_RENUMBERED = ("written.stamp", "policy_due.waits", "pending.kind")


@dataclass(frozen=True)
class Change:
    """What differs from an instant on.

    choice  policies that take over
    seed    seed of the future, None to keep the world's own
    frozen  models and feeds that stand still
    """

    choice: Choice = field(default_factory=lambda: Choice("present"))
    seed: int | None = None
    frozen: frozenset[str] = frozenset()


def switched(world: World, change: Change, fresh: Mapping[str, Renewal] | None = None) -> World:
    """Return a copy of a world that goes on under a change; the world itself is left as it is.

    fresh  what `renewals` gave for the change's seed, if it is known already
    """
    world._begin()
    if fresh is None:
        fresh = renewals(world, change.seed) if change.seed is not None else {}
    fresh = {name: renewal for name, renewal in fresh.items() if name not in change.frozen}
    assembly = _varied(world.assembly, change, fresh)
    taken = {policy.role: i for i, policy in enumerate(assembly.policies) if policy in change.choice.policies}
    child = World(assembly, _handed_over(world, assembly, set(taken.values()), change.frozen))
    child.events, child.parents, child.series = (log.branch() for log in (world.events, world.parents, world.series))
    for renewal in fresh.values():
        if renewal.act is not None:
            renewal.act(child)
    for number in sorted(taken.values()):
        _take_over(child, number)
    return child


def _varied(assembly: Assembly, change: Change, fresh: Mapping[str, Renewal]) -> Assembly:
    choice = change.choice
    policies = replaced(assembly.policies, choice.policies)
    components: list[Component] = [fresh[c.name].component if c.name in fresh else c for c in assembly.components]
    roles = {**assembly.setup.policies, **{policy.role: policy.name for policy in choice.policies}}
    seed = assembly.setup.seed if change.seed is None else change.seed
    names = {part.name for part in (*components, *policies)}
    options = {name: given for name, given in {**assembly.options, **choice.options}.items() if name in names}
    rows = {**choice.rows}
    for renewal in fresh.values():
        rows.update(renewal.rows)
    made = assembly.varied(components, policies, replace(assembly.setup, seed=seed, policies=roles), options, rows)
    if change.frozen:
        freeze(made, change.frozen)
    return made


def replaced(present: Sequence[Policy], new: Sequence[Policy]) -> list[Policy]:
    """Put each new policy in the place of the one with its role; new roles come last."""
    by_role = {policy.role: policy for policy in new}
    kept = [by_role.pop(policy.role, policy) for policy in present]
    return [*kept, *by_role.values()]


def _handed_over(world: Engine, assembly: Assembly, taken: set[int], frozen: frozenset[str]) -> State:
    """Return the state of a world as arrays of another assembly.

    taken   numbers of the policies that begin now: their own fields hold initial values
    """
    old, before = world.state, world.assembly
    state = State(_grown(assembly.layout, old.layout))
    begins = {assembly.policies[number].name for number in taken}
    for name, column in state.layout.columns.items():
        if name in old and name not in _RENUMBERED and assembly.owner_of.get(column.name) not in begins:
            source = old[name]
            state[name][: source.shape[0]] = source
    for name, number in assembly.field_number.items():
        if name in before.field_number:
            state["written.stamp"][number] = old["written.stamp"][before.field_number[name]]
    waits = old["policy_due.waits"]
    state["policy_due.waits"][: waits.shape[0]] = waits
    _renumber_pending(state, old["pending.kind"], before, assembly, taken)
    if frozen:
        drop_pending(state, assembly, frozen)
    return state


def _grown(layout: Layout, old: Layout) -> Layout:
    """Return a layout with the rows that growing tables have reached."""
    grown = {t: n for t, n in old.rows.items() if f"{t}.alive" in old.columns and n > layout.rows.get(t, n)}
    return Layout(layout.columns, {**layout.rows, **grown}) if grown else layout


def _renumber_pending(state: State, kinds: Any, before: Assembly, after: Assembly, taken: set[int]) -> None:
    """Write the kinds of pending events as the new assembly numbers them; drop those of policies that left."""
    left = {kind.name for i in taken if i < len(before.policies) for kind in before.policies[i].events}
    number = np.array([-1 if kind in left else after.kind_number.get(kind, -1) for kind in before.kinds])
    state["pending.kind"][...] = number[kinds]
    state["pending.kind"][~state["pending.alive"]] = 0
    decides = [after.kind_number[TIMER], after.kind_number[DECISION]]
    leaves = np.isin(state["pending.kind"], decides) & np.isin(state["pending.target"], sorted(taken))
    for row in np.flatnonzero(state["pending.alive"] & (leaves | (state["pending.kind"] < 0))).tolist():
        give_back(state, "pending", row)
    state["policy_due.waits"][sorted(taken)] = False


def _take_over(child: World, number: int) -> None:
    """Let a new policy begin, and decide at once."""
    policy = child.assembly.policies[number]
    policy.start(child.view(policy.name))
    child.add_row(0, Plan(TIMER if policy.every < NEVER else DECISION, DECIDE, number))
    child.state["policy_due.waits"][number] = policy.every >= NEVER
