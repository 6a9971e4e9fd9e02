"""Snapshots: a world on disk as arrays and a manifest, no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.durable import write_whole
from twin.errors import SnapshotError
from twin.fields import Layout, State
from twin.log import Segment
from twin.world import World

if TYPE_CHECKING:
    from twin.assembly import Assembly

FORMAT = 2
_LOGS = ("events", "parents", "series")


def save(world: World, folder: str | Path) -> Path:
    """Write a world to `folder/snapshot.npz`, all or nothing; return the file."""
    arrays: dict[str, Any] = {"buffer": world.state.buffer}
    for log in _LOGS:
        for column, values in getattr(world, log).packed().items():
            arrays[f"{log}.{column}"] = values
    manifest = {
        "format": FORMAT,
        "now": world.now,
        "seed": world.seed,
        "rows": world.state.layout.rows,
        "columns": signature(world.state.layout),
    }
    arrays["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    target = Path(folder) / "snapshot.npz"
    write_whole(target, lambda file: np.savez(file, **arrays))
    return target


def signature(layout: Layout) -> list[list[Any]]:
    """Return names, dtypes and widths of all columns: what must agree on load."""
    return [[name, field.dtype, list(field.width)] for name, field in layout.columns.items()]


def load(folder: str | Path, assembly: Assembly) -> World:
    """Return the saved world on an assembly of the same case.

    Raises SnapshotError when the file is broken or belongs to another case.
    """
    path = Path(folder)
    path = path / "snapshot.npz" if path.is_dir() else path
    try:
        # zipfile checks the CRC-32 of every array that is read: a flipped bit is an error here.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        manifest = json.loads(arrays["manifest"].tobytes())
        return _revive(path, manifest, arrays, assembly)
    except FileNotFoundError:
        raise SnapshotError(f"no snapshot at {path}") from None
    except SnapshotError:
        raise
    except Exception as error:
        raise SnapshotError(f"{path} is not a readable snapshot: {type(error).__name__}: {error}") from error


def _revive(path: Path, manifest: dict[str, Any], arrays: dict[str, Any], assembly: Assembly) -> World:
    if manifest.get("format") != FORMAT:
        raise SnapshotError(f"{path} has format {manifest.get('format')}; this version reads {FORMAT}")
    if manifest["seed"] != assembly.setup.seed:
        raise SnapshotError(f"{path} belongs to seed {manifest['seed']}, the case given has {assembly.setup.seed}")
    if manifest["columns"] != signature(assembly.layout):
        raise SnapshotError(f"{path} was written by other models or another version; run the case again")
    layout = Layout(assembly.layout.columns, manifest["rows"])
    buffer = arrays["buffer"]
    if buffer.shape != (layout.size,) or buffer.dtype != np.uint8:
        raise SnapshotError(f"{path} holds {buffer.nbytes} bytes of state, {layout.size} are needed")
    world = World(assembly, State(layout, buffer))
    for log in _LOGS:
        segment: Segment = getattr(world, log)
        segment.restore({column: arrays[f"{log}.{column}"] for column in (*segment.columns, "words")})
    return world
