"""Snapshots: a world on disk as arrays and a manifest, no pickle."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import SnapshotError
from twin.fields import Layout, State
from twin.log import Segment
from twin.world import World

if TYPE_CHECKING:
    from twin.assembly import Assembly

FORMAT = 1
_LOGS = ("events", "parents", "series")


def save(world: World, folder: str | Path) -> Path:
    """Write a world to `folder/snapshot.npz`, all or nothing; return the file."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {"buffer": world.state.buffer}
    for log in _LOGS:
        for column, values in getattr(world, log).arrays().items():
            arrays[f"{log}.{column}"] = values
    manifest = {
        "format": FORMAT,
        "now": world.now,
        "seed": world.seed,
        "rows": world.state.layout.rows,
        "columns": signature(world.state.layout),
        "digest": world.digest(),
    }
    arrays["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    target = folder / "snapshot.npz"
    write_whole(target, lambda file: np.savez(file, **arrays))
    return target


def write_whole(target: Path, write: Any) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise SnapshotError(
            f"cannot write {target}: {error.strerror or error}; free space or name another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


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
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        manifest = json.loads(arrays["manifest"].tobytes())
    except FileNotFoundError:
        raise SnapshotError(f"no snapshot at {path}") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise SnapshotError(f"{path} is not a readable snapshot: {error}") from error
    return _revive(path, manifest, arrays, assembly)


def _revive(path: Path, manifest: dict[str, Any], arrays: dict[str, Any], assembly: Assembly) -> World:
    if manifest.get("format") != FORMAT:
        raise SnapshotError(f"{path} has format {manifest.get('format')}; this version reads {FORMAT}")
    if manifest["seed"] != assembly.setup.seed:
        raise SnapshotError(f"{path} belongs to seed {manifest['seed']}, the case given has {assembly.setup.seed}")
    if manifest["columns"] != signature(assembly.layout):
        raise SnapshotError(f"{path} was written by other models or another version; run the case again")
    layout = Layout(assembly.layout.columns, manifest["rows"])
    if arrays["buffer"].shape != (layout.size,):
        raise SnapshotError(f"{path} holds {arrays['buffer'].size} bytes of state, {layout.size} are needed")
    world = World(assembly, State(layout, arrays["buffer"].copy()))
    if world.digest() != manifest["digest"]:
        raise SnapshotError(f"{path} is damaged: its contents do not match its digest")
    for log in _LOGS:
        segment: Segment = getattr(world, log)
        segment.restore({c: arrays[f"{log}.{c}"] for c in segment.columns})
    return world
