"""Order in which models solve within one instant: computed, printable."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence

from twin.contract import Component
from twin.errors import ContractError


def solve_order(components: Sequence[Component], owner_of: Mapping[str, str]) -> list[Component]:
    """Sort components so that each solves after those it reads from.

    Ties keep the alphabetical order of names, so the order never depends on
    how a scenario lists its models. A cycle is an error that prints its path.
    """
    by_name = {c.name: c for c in components}
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(dict.fromkeys(sorted(by_name), ()))
    for component in sorted(components, key=lambda c: c.name):
        for before in sorted(_sources(component, by_name, owner_of)):
            sorter.add(component.name, before)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        path = " -> ".join(error.args[1])
        raise ContractError(f"models read each other in a circle: {path}; declare one of the reads in lags") from None
    order: list[Component] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    return order


def _sources(component: Component, by_name: Mapping[str, Component], owner_of: Mapping[str, str]) -> set[str]:
    reads = {owner_of[name] for name in component.reads if name in owner_of}
    groups = {f.name for f in component.owns if f.group}
    contributors = {c.name for c in by_name.values() if groups & set(c.adds)}
    return (reads | contributors) - {component.name}
