"""The branch law for the demo and for every model and feed by itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.contracts.parts import HORIZON, alone, constants, demo, outcome
from twin import registry
from twin.contract import MINUTE, SECOND
from twin.world import World

INSTANTS = 20
PARTS = sorted([*registry.models(), *registry.feeds()])


def between(rows, first: str, second: str) -> list[int]:
    """Return instants half-way from an event of one kind to the next of another about the same target."""
    out = []
    for time, kind, target, *_ in rows:
        if kind == first:
            later = [r[0] for r in rows if r[1] == second and r[2] == target and r[0] > time]
            if later:
                out.append((time + later[0]) // 2)
    return out


def instants(world) -> list[int]:
    """Return 20 instants: some in the middle of named work, the rest anywhere."""
    rows = world.events.rows()
    kinds = {row[1] for row in rows}
    chosen: list[int] = []
    for first, second in (
        ("unit_on_scene", "unit_at_hospital"),
        ("call_rings", "call_triaged"),
        ("crew_sent", "repair_done"),
        ("substation_trip", "site_dead"),
    ):
        if {first, second} <= kinds:
            chosen += between(rows, first, second)[:3]
    draws = np.random.Generator(np.random.Philox(3)).integers(0, HORIZON, INSTANTS)
    return sorted({*chosen, *draws.tolist()})[: INSTANTS + 8]


@pytest.mark.parametrize("arm", ["A", "B"])
def test_the_demo_branches_saves_and_loads_exactly(arm, tmp_path):
    assembly = demo(arm)
    whole = World(assembly).run(HORIZON)
    expected = outcome(whole)
    parent = World(assembly)
    cuts = instants(whole)
    assert len(cuts) >= INSTANTS
    for i, at in enumerate(cuts):
        parent.run(at)
        before = parent.digest()
        child = parent.branch() if i % 2 else World.load(parent.save(tmp_path / str(i)), assembly)
        assert child.digest() == before
        assert outcome(child.run(HORIZON)) == expected, f"cut at {at / SECOND} s"
        assert parent.digest() == before
    assert outcome(parent.run(HORIZON)) == expected


@pytest.mark.parametrize("name", PARTS)
def test_each_part_alone_keeps_the_law(name, tmp_path):
    assembly = alone(name)
    end = 100 * MINUTE
    expected = outcome(World(assembly).run(end))
    world = World(assembly)
    for i, at in enumerate((0, 1, 17 * MINUTE + 1, 61 * MINUTE, end - 1)):
        world.run(at)
        world = World.load(world.save(tmp_path / str(i)), assembly)
    assert outcome(world.run(end)) == expected


@pytest.mark.parametrize("arm", ["A", "B"])
def test_nothing_on_a_component_changes_during_a_run(arm):
    assembly = demo(arm)
    before = {name: constants(part) for name, part in assembly.by_name.items()}
    World(assembly).run(HORIZON)
    for name, part in assembly.by_name.items():
        assert constants(part) == before[name], f"{name} keeps memory on itself"


@pytest.mark.parametrize("arm", ["A", "B"])
def test_no_component_holds_on_to_state(arm):
    world = World(demo(arm)).run(60 * MINUTE)
    low = world.state.buffer.__array_interface__["data"][0]
    high = low + world.state.buffer.nbytes
    for part in world.assembly.by_name.values():
        for key, value in vars(part).items():
            if isinstance(value, np.ndarray):
                place = value.__array_interface__["data"][0]
                assert not low <= place < high, f"{part.name}.{key} is an array of the state"


@pytest.mark.parametrize("arm", ["A", "B"])
def test_the_demo_breaks_no_invariant(arm):
    assert World(demo(arm)).run(HORIZON).check() == []
