"""Record the full state of a run at intervals: opt-in, for it may be large.

While the run goes on every instant is a file of its own below `state.parts/`, written whole, so that a
resumed run writes the same files again; at the end they become one table each, `state/<table>.parquet`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.assembly import ENGINE
from twin.calendar import PENDING
from twin.durable import make_folder, write_whole
from twin.errors import SnapshotError
from twin.execution.output import with_clock
from twin.procedure import CLAIMS, JOBS

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.fields import Field, Layout
    from twin.world import World

Array = np.ndarray[Any, Any]

PARTS = "state.parts"
_ENGINE = {field.table for field in (*ENGINE, *PENDING, *JOBS, *CLAIMS)} | {"pending_list", "job_list", "claim_list"}


class Recorder:
    """Write what a world holds every so often.

    every  us between records; the first is at the start of the run
    """

    def __init__(self, folder: Path, every: int) -> None:
        """Name the folder of the run."""
        self.folder, self.every = folder, every

    def next_time(self, now: int) -> int:
        """Return the time of the first record after an instant, us."""
        return (now // self.every + 1) * self.every

    def record(self, world: World) -> None:
        """Write the state of a world whose time is that of a record; nothing at other times."""
        if world.now % self.every:
            return
        arrays: dict[str, Any] = {name: world.state[name] for name in recorded(world.state.layout)}
        target = self.folder / PARTS / f"{world.now:020d}.npz"
        write_whole(target, lambda file: np.savez(file, **arrays))

    def finish(self, world: World) -> None:
        """Gather the records into one table each, a row group per instant."""
        parts = sorted((self.folder / PARTS).glob("*.npz"))
        start, zone = world.assembly.setup.start, world.assembly.city.timezone
        for table, fields in _tables(world.assembly).items():
            target = self.folder / "state" / f"{table}.parquet"
            make_folder(target.parent)
            write_whole(target, lambda file, f=fields: _gather(file, parts, f, (start, zone)), sync=False)  # type: ignore[misc]

    def clear(self) -> None:
        """Delete the records of single instants."""
        shutil.rmtree(self.folder / PARTS, ignore_errors=True)


def recorded(layout: Layout) -> dict[str, Field]:
    """Return the arrays that are recorded, by name: one number per row, not of the engine's own tables."""
    return {
        name: field
        for name, field in layout.columns.items()
        if not field.width and field.table not in _ENGINE and not field.table.endswith("_list")
    }


def state_bytes(assembly: Assembly, every: int) -> int:
    """Estimate the bytes of the full state of one run before compression: rows as they are at the start."""
    layout = assembly.layout
    once = sum(
        int(np.prod(layout.slots[name].shape)) * np.dtype(field.dtype).itemsize
        for name, field in recorded(layout).items()
    )
    return once * (assembly.setup.duration // every + 1)


def _tables(assembly: Assembly) -> dict[str, list[str]]:
    """Return table -> names of its recorded arrays."""
    found: dict[str, list[str]] = {}
    for name, field in recorded(assembly.layout).items():
        found.setdefault(field.table, []).append(name)
    return found


def _gather(file: Any, parts: list[Path], names: list[str], clock: tuple[int, str]) -> None:
    """Write the rows of one table at all instants."""
    import pyarrow
    import pyarrow.parquet

    writer = None
    for part in parts:
        rows = pyarrow.table(with_clock(_rows(part, names), *clock))
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(file, rows.schema, compression="zstd")
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def _rows(part: Path, names: list[str]) -> dict[str, Array]:
    """Read one table at one instant: time, row, columns; only rows in use where rows come and go."""
    try:
        with open(part, "rb") as opened, np.load(opened, allow_pickle=False) as stored:
            columns = {name.partition(".")[2]: stored[name] for name in names}
    except Exception as error:
        raise SnapshotError(f"{part} cannot be read ({error}); delete its folder and run the case again") from error
    count = len(next(iter(columns.values())))
    used = columns["alive"] if "alive" in columns else np.ones(count, dtype=bool)
    rows = np.flatnonzero(used)
    time = np.full(len(rows), int(part.stem), dtype=np.int64)
    return {"time": time, "row": rows, **{name: values[rows] for name, values in columns.items()}}
