"""Snapshots are refused by another case and when damaged, always as SnapshotError."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tests.engine.toys import Desk, Drain, Rain, Ward, toy_assembly, toy_city
from twin.assembly import Assembly
from twin.contract import SECOND, Setup
from twin.errors import SnapshotError, TwinError
from twin.world import World


@pytest.fixture
def saved(tmp_path):
    """Return a snapshot of the toys at 20 s."""
    return World(toy_assembly()).run(20 * SECOND).save(tmp_path)


def other_case(change):
    """Return the toys as another case."""
    city = toy_city()
    setup = Setup(city, {}, 1, 0, 120 * SECOND, measure_every=10 * SECOND)
    if change == "city":
        city = replace(city, title="Another")
        setup = replace(setup, city=city)
    elif change != "procedures":
        setup = replace(setup, **{change: getattr(setup, change) + SECOND})
    ward = Ward()
    if change == "procedures":
        steps = Ward.procedures["visit"]
        ward.procedures = {"visit": (*steps[:-2], steps[-1], steps[-2])}
    return Assembly(city, [ward, Drain(), Rain()], [Desk()], setup)


@pytest.mark.parametrize("change", ["city", "start", "duration", "measure_every", "command_delay", "procedures"])
def test_another_case_does_not_take_a_snapshot(saved, change):
    with pytest.raises(SnapshotError, match="another case"):
        World.load(saved, other_case(change))


def test_the_same_case_assembled_again_takes_it(saved):
    again = World.load(saved, toy_assembly()).run(60 * SECOND)
    assert again.digest() == World(toy_assembly()).run(60 * SECOND).digest()


def damaged(path, change):
    """Write a snapshot again with its manifest or other parts changed; checksums are right."""
    with zipfile.ZipFile(path) as stored:
        parts = {name: stored.read(name) for name in stored.namelist()}
    manifest = json.loads(np.load(io.BytesIO(parts["manifest.npy"])).tobytes())
    manifest = change(manifest, parts) or manifest
    parts["manifest.npy"] = as_part(np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8))
    with zipfile.ZipFile(path, "w") as stored:
        for name, content in parts.items():
            stored.writestr(name, content)


def as_part(values):
    """Return the bytes of an array as a part of a snapshot."""
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def set_rows(table, count):
    return lambda manifest, parts: manifest["rows"].update({table: count})


@pytest.mark.parametrize(
    "change",
    [
        set_rows("node", 2),
        set_rows("node", 4),
        set_rows("node", "three"),
        set_rows("job", 64),
        set_rows("job", True),
        set_rows("pending", 10**15),
        lambda manifest, parts: manifest.pop("rows") and None,
        lambda manifest, parts: manifest.update(rows=[3]),
        lambda manifest, parts: manifest.pop("seed") and None,
        lambda manifest, parts: manifest.pop("case") and None,
        lambda manifest, parts: [manifest],
        lambda manifest, parts: "text",
        lambda manifest, parts: manifest.pop("size") and None,
        lambda manifest, parts: parts.pop("events.kind.npy") and None,
        lambda manifest, parts: parts.pop("stretches.npy") and None,
        lambda manifest, parts: parts.pop("state") and None,
        lambda manifest, parts: parts.update(state=parts["state"][:-1]),
        lambda manifest, parts: parts.update(state=parts["state"] + b"0"),
        lambda manifest, parts: parts.update({"stretches.npy": as_part(np.array([[0, 10**9]]))}),
    ],
)
def test_a_damaged_manifest_is_a_snapshot_error(saved, change):
    damaged(saved, change)
    with pytest.raises(SnapshotError):
        World.load(saved, toy_assembly())


def test_a_file_is_written_again_as_it_was(saved):
    damaged(saved, lambda manifest, parts: None)
    assert World.load(saved, toy_assembly()).digest() == World(toy_assembly()).run(20 * SECOND).digest()


def test_another_format_is_told(saved):
    damaged(saved, lambda manifest, parts: manifest.update(format=3))
    with pytest.raises(SnapshotError, match="has format 3; this version reads 4"):
        World.load(saved, toy_assembly())


def test_other_initial_values_are_another_version(saved):
    assembly = toy_assembly()
    name, field = next(iter(assembly.layout.columns.items()))
    assembly.layout.columns[name] = replace(field, initial=field.initial + 1)
    with pytest.raises(SnapshotError, match="other models or another version"):
        World.load(saved, assembly)


def test_equal_worlds_make_equal_files(saved, tmp_path):
    again = World(toy_assembly()).run(20 * SECOND).save(tmp_path / "again")
    assert again.read_bytes() == saved.read_bytes()


def test_a_free_list_that_points_outside_its_table_is_refused(tmp_path):
    world = World(toy_assembly()).run(20 * SECOND)
    world.state["job_list.used"][0] = 10**6
    saved = world.save(tmp_path)
    with pytest.raises(SnapshotError, match="free rows of job"):
        World.load(saved, toy_assembly())


def test_a_table_that_grew_is_taken(tmp_path):
    world = World(toy_assembly()).run(20 * SECOND)
    world.state.grow("job")
    again = World.load(world.save(tmp_path), toy_assembly())
    assert again.digest() == world.digest()


@pytest.mark.parametrize("until", [float("inf"), float("-inf"), float("nan"), 0.5, True, 2**63])
def test_until_takes_whole_microseconds_only(until):
    with pytest.raises(TwinError, match=r"until \(.*\) must be whole microseconds"):
        World(toy_assembly()).run(until)


def test_until_takes_a_whole_float():
    assert World(toy_assembly()).run(1e6).now == SECOND
