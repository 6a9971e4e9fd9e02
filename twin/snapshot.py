"""Snapshots: a world on disk as arrays and a manifest, no pickle."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from twin.durable import write_whole
from twin.errors import SnapshotError
from twin.fields import Layout, State
from twin.log import Segment
from twin.stretches import read_state, stretches
from twin.world import World

if TYPE_CHECKING:
    from twin.assembly import Assembly

FORMAT = 4
_LOGS = ("events", "parents", "series")
_STATE = "state"
_MADE = (1980, 1, 1, 0, 0, 0)
"""Date of the parts of a file, the earliest there is: equal states give equal files."""


def save(world: World, folder: str | Path) -> Path:
    """Write a world to `folder/snapshot.npz`, all or nothing; return the file."""
    arrays: dict[str, Any] = {"stretches": stretches(world.state)}
    for log in _LOGS:
        for column, values in getattr(world, log).packed().items():
            arrays[f"{log}.{column}"] = values
    manifest = {
        "format": FORMAT,
        "now": world.now,
        "seed": world.seed,
        "rows": world.state.layout.rows,
        "size": world.state.layout.size,
        "columns": signature(world.state.layout),
        "case": case_digest(world.assembly),
    }
    arrays["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    target = Path(folder) / "snapshot.npz"
    write_whole(target, lambda file: _write(file, arrays, world.state))
    return target


def _write(file: IO[bytes], arrays: dict[str, Any], state: State) -> None:
    """Write arrays, and of the state its stretches, without a copy; zipfile adds the CRC-32 of each."""
    whole = state.buffer.data
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as parts:
        with parts.open(zipfile.ZipInfo(_STATE, _MADE), "w", force_zip64=True) as part:
            for begin, end in arrays["stretches"].tolist():
                part.write(whole[begin:end])
        for name, values in arrays.items():
            with parts.open(zipfile.ZipInfo(f"{name}.npy", _MADE), "w", force_zip64=True) as part:
                np.lib.format.write_array(part, values, allow_pickle=False)


def signature(layout: Layout) -> list[list[Any]]:
    """Return names, dtypes, widths and initial values of all columns: what must agree on load."""
    return [[name, field.dtype, list(field.width), repr(field.initial)] for name, field in layout.columns.items()]


def case_digest(assembly: Assembly) -> str:
    """Identify what a state means: the city, settings, events, and the numbers that stand for names."""
    setup = assembly.setup
    content = {
        "city": assembly.city.digest,
        "components": [component.name for component in (*assembly.components, *assembly.policies)],
        "options": assembly.options,
        "setup": [setup.seed, setup.start, setup.duration, setup.measure_every, setup.command_delay],
        "policies": dict(setup.policies),
        "events": [[event.kind, event.time, list(event.targets), dict(event.params)] for event in assembly.events],
        "kinds": assembly.kinds,
        "procedures": [[name, list(steps)] for _, steps, name in assembly.procedures],
        "resources": assembly.resource_number,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return an option's array or number of numpy as plain values, anything else as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def load(folder: str | Path, assembly: Assembly) -> World:
    """Return the saved world on an assembly of the same case.

    Raises SnapshotError when the file is broken or belongs to another case.
    """
    path = Path(folder)
    path = path / "snapshot.npz" if path.is_dir() else path
    try:
        # zipfile checks the CRC-32 of every part that is read to its end: a flipped bit is an error here.
        with zipfile.ZipFile(path) as parts:
            arrays = {name.removesuffix(".npy"): _read(parts, name) for name in parts.namelist() if name != _STATE}
            manifest = json.loads(arrays["manifest"].tobytes())
            _check_manifest(path, manifest, assembly)
            layout = Layout(assembly.layout.columns, _rows(path, manifest["rows"], assembly.layout))
            if layout.size != manifest["size"]:
                raise SnapshotError(f"{path} holds {manifest['size']} bytes of state, {layout.size} are needed")
            with parts.open(_STATE) as part:
                state = read_state(layout, arrays["stretches"], part)
        return _revive(path, state, arrays, assembly)
    except FileNotFoundError:
        raise SnapshotError(f"no snapshot at {path}") from None
    except SnapshotError:
        raise
    except Exception as error:
        raise SnapshotError(f"{path} is not a readable snapshot: {type(error).__name__}: {error}") from error


def _read(parts: zipfile.ZipFile, name: str) -> Any:
    with parts.open(name) as part:
        return np.lib.format.read_array(part, allow_pickle=False)


def _check_manifest(path: Path, manifest: dict[str, Any], assembly: Assembly) -> None:
    """Raise SnapshotError when a file is of another format, seed, version or case."""
    if manifest.get("format") != FORMAT:
        raise SnapshotError(f"{path} has format {manifest.get('format')}; this version reads {FORMAT}")
    if manifest["seed"] != assembly.setup.seed:
        raise SnapshotError(f"{path} belongs to seed {manifest['seed']}, the case given has {assembly.setup.seed}")
    if manifest["columns"] != signature(assembly.layout):
        raise SnapshotError(f"{path} was written by other models or another version; run the case again")
    if manifest["case"] != case_digest(assembly):
        raise SnapshotError(f"{path} belongs to another case (city, options, events or times differ)")


def _revive(path: Path, state: State, arrays: dict[str, Any], assembly: Assembly) -> World:
    world = World(assembly, state)
    _check_lists(path, world.state)
    for log in _LOGS:
        segment: Segment = getattr(world, log)
        segment.restore({column: arrays[f"{log}.{column}"] for column in (*segment.columns, "words")})
    return world


def _rows(path: Path, stored: Any, layout: Layout) -> dict[str, int]:
    """Return the stored numbers of rows: those of the case, but for tables that grew."""
    if not isinstance(stored, dict) or stored.keys() != layout.rows.keys():
        raise SnapshotError(f"{path} holds other tables than the case")
    growing = _growing(layout)
    for table, rows in layout.rows.items():
        count = stored[table]
        if type(count) is not int or count < rows or (count > rows and table not in growing):
            raise SnapshotError(f"{path} holds {count!r} rows of {table}; the case has {rows}")
    return dict(stored)


def _growing(layout: Layout) -> list[str]:
    """Return the tables with a free list."""
    return [t for t in layout.rows if f"{t}.alive" in layout.columns and f"{t}_list.used" in layout.columns]


def _check_lists(path: Path, state: State) -> None:
    """Raise SnapshotError when a free list points outside its table."""
    for table in _growing(state.layout):
        used, free = int(state[f"{table}_list.used"][0]), int(state[f"{table}_list.free_count"][0])
        listed = state[f"{table}.free"][: max(free, 0)]
        if not 0 <= free <= used <= state.layout.rows[table] or (free and not 0 <= listed.min() <= listed.max() < used):
            raise SnapshotError(f"{path} holds a damaged list of free rows of {table}")
