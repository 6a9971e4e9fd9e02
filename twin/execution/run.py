"""Run one case: from resolved values to a folder of results, resumable at any instant."""

from __future__ import annotations

import json
import math
import os
import platform
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast

from twin.contract import HOUR, MINUTE, Component, Policy, Setup
from twin.durable import FolderLock, clear_drafts, sync_below
from twin.errors import DataError, RunError, SnapshotError, TwinError
from twin.execution.identity import identity, run_id
from twin.execution.manifest import MANIFEST, list_files, manifest_of, read_manifest
from twin.execution.recorder import Recorder

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.city import City
    from twin.scenario import Case
    from twin.world import World

COMPLETE, FAILED, INTERRUPTED, WAITING = "complete", "failed", "interrupted", "waiting"
ELSEWHERE = "elsewhere"
FAILURE, CASE, SNAPSHOT = "failure.json", "case.json", "snapshot.npz"
_LISTED = 5


@dataclass(frozen=True)
class Control:
    """How a run is watched and kept.

    progress       called with the simulated time, us
    stop           when it returns True the run saves itself and leaves
    keep_every     simulated us between states kept in memory, for a failure to go back to
    snapshot_wall  wall seconds between snapshots on disk, taken when a state is kept; inf for none
    identity       what the run is made of, as it was when the suite started; default: found out now
    """

    progress: Callable[[int], None] | None = None
    stop: Callable[[], bool] | None = None
    keep_every: int = HOUR
    snapshot_wall: float = 30.0
    identity: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Record:
    """What became of a case.

    status   "complete", "failed", "interrupted", "waiting" (not begun) or "elsewhere" (another
             process is writing it)
    stage    where it failed: "assemble", "run", "check" (broken invariants), "write" or "process"
    time     simulated us reached
    reused   it was complete before and nothing was run
    """

    suite: str
    arm: str
    replication: int
    seed: int
    folder: str
    status: str
    time: int = 0
    wall: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)
    stage: str = ""
    message: str = ""
    reused: bool = False


def run_folder(case: Case, out: str | Path, made_of: Mapping[str, Any] | None = None) -> Path:
    """Return where a case's results go: out/suite/arm/run_id."""
    return Path(out) / case.suite / case.arm / run_id(made_of or identity(case, case.city()))


def assemble(case: Case, city: City | None = None) -> Assembly:
    """Return the components of a case, set up on its city.

    Components come from the registry by name; plugins are only those the case lists.
    """
    from twin import registry
    from twin.assembly import Assembly

    for plugin in case.plugins:
        registry.use_plugin(plugin)
    city = case.city() if city is None else city
    parts: list[Component] = [registry.get("model", name)() for name in case.models]
    parts += [registry.get("feed", name)() for name, _ in case.feeds]
    policies = [cast(Policy, registry.get("policy", name)()) for _, name in sorted(case.policies.items())]
    names = {part.name for part in (*parts, *policies)}
    options = {name: dict(given) for name, given in case.options.items() if name in names}
    for name, given in case.feeds:
        options[name] = {**options.get(name, {}), **given}
    setup = Setup(city, {}, case.seed, case.start, case.duration, case.events, case.folder, dict(case.policies))
    setup = replace(setup, measure_every=int(case.record.get("every", setup.measure_every)))
    return Assembly(city, parts, policies, setup, options)


def run_case(case: Case, folder: str | Path, control: Control | None = None) -> Record:
    """Run a case into a folder, going on from its snapshot if there is one; never raises for a failed case.

    A complete folder is left alone, one that another process writes too; a damaged one is run again.
    A failure leaves failure.json and the last good snapshot.
    """
    folder, control = Path(folder), control or Control()
    attempt, lock = _Attempt(case, folder, control), FolderLock(folder)
    try:
        done = finished(case, folder)
        if done is not None:
            return done
        holder = lock.take()
        if holder:
            then = f"go on later with: twin resume {quote(str(folder))}"
            return attempt.record(ELSEWHERE, message=f"{holder} is writing it; {then}")
        return finished(case, folder) or attempt.run()
    except Exception as error:
        return attempt.failed(error)
    finally:
        lock.release()


def finished(case: Case, folder: Path) -> Record | None:
    """Return the record of a run that is complete and whole, None when it must be run (again)."""
    try:
        manifest = read_manifest(folder, deep=True)
    except DataError:
        return None
    figures = {name: math.nan if value is None else float(value) for name, value in manifest["kpis"].items()}
    attempt = _Attempt(case, folder, Control())
    return attempt.record(COMPLETE, time=case.duration, figures=figures, reused=True)


class _Attempt:
    """One try at a case: remembers its stage and last good state, for the record of a failure."""

    def __init__(self, case: Case, folder: Path, control: Control) -> None:
        self.case, self.folder, self.control = case, folder, control
        self.stage = "assemble"
        self.world: World | None = None
        self.good: World | None = None
        self.made_of: Mapping[str, Any] = {}
        self.notes: list[str] = []
        self.begun = time.perf_counter()
        self.saved = time.monotonic()
        every = int(case.record.get("every", 5 * MINUTE))
        self.recorder = Recorder(folder, every) if case.record.get("state") else None

    def record(self, status: str, **more: Any) -> Record:
        case = self.case
        more.setdefault("time", self.world.now if self.world is not None else 0)
        more.setdefault("wall", time.perf_counter() - self.begun)
        return Record(case.suite, case.arm, case.replication, case.seed, str(self.folder), status, **more)

    def run(self) -> Record:
        from twin.execution.output import write_json

        self._clear()
        self.made_of = self.control.identity or identity(self.case, self.case.city())
        write_json(self.folder / CASE, json.loads(self.case.to_json()))
        self.world = world = self._begin()
        self.stage = "run"
        self.good = world.branch()
        if world.now == 0:
            self._record_state()
        while world.now < self.case.duration:
            if self._stopped():
                return self._leave()
            keep = (world.now // self.control.keep_every + 1) * self.control.keep_every
            until = min(self.case.duration, keep, self.recorder.next_time(world.now) if self.recorder else keep)
            world.run(until, self.control.progress, self.control.stop)
            if world.now == until:
                self._record_state()
            if world.now == keep:
                self._keep()
        return self._finish()

    def _clear(self) -> None:
        """Take away what a killed writer left, and the manifest of a run that is damaged."""
        clear_drafts(self.folder)
        if (self.folder / MANIFEST).exists():
            self.notes.append("run again: its files were damaged")
            (self.folder / MANIFEST).unlink()

    def _begin(self) -> World:
        from twin.world import World

        assembly = assemble(self.case)
        if (self.folder / SNAPSHOT).is_file():
            try:
                return World.load(self.folder, assembly)
            except SnapshotError as error:
                self.notes.append(f"began anew: {error}")
        return World(assembly)

    def _record_state(self) -> None:
        if self.recorder is not None:
            assert self.world is not None
            self.recorder.record(self.world)

    def _stopped(self) -> bool:
        return self.control.stop is not None and self.control.stop()

    def _keep(self) -> None:
        assert self.world is not None
        self.good = self.world.branch()
        if time.monotonic() - self.saved >= self.control.snapshot_wall:
            self.world.save(self.folder)
            self.saved = time.monotonic()

    def _leave(self) -> Record:
        assert self.world is not None
        self.world.save(self.folder)
        return self.record(INTERRUPTED, message=f"saved; go on with: twin resume {quote(str(self.folder))}")

    def _finish(self) -> Record:
        from twin.execution.output import write_json, write_results

        assert self.world is not None
        self.stage = "check"
        broken = self.world.check()
        if broken:
            listed = "; ".join(broken[:_LISTED]) + (f" and {len(broken) - _LISTED} more" if broken[_LISTED:] else "")
            raise RunError(f"the run broke what must always hold: {listed}")
        self.stage = "write"
        figures = write_results(self.world, self.case, self.folder)
        if self.recorder is not None:
            self.recorder.finish(self.world)
        sync_below(self.folder, "*.parquet")
        wall = time.perf_counter() - self.begun
        manifest = {
            **manifest_of(self.case, self.world.assembly.city, self.made_of),
            "status": COMPLETE,
            "kpis": {name: value if math.isfinite(value) else None for name, value in sorted(figures.items())},
            "notes": self.notes,
            "files": list_files(self.folder),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "wall_s": round(wall, 3),
            "machine": {"platform": platform.platform(), "cores": os.cpu_count()},
        }
        write_json(self.folder / MANIFEST, manifest)
        for name in (SNAPSHOT, FAILURE):
            (self.folder / name).unlink(missing_ok=True)
        if self.recorder is not None:
            self.recorder.clear()
        return self.record(COMPLETE, figures=figures, wall=wall)

    def failed(self, error: Exception) -> Record:
        """Write what went wrong, and the last good state to go on from."""
        record = self.record(FAILED, stage=self.stage, message=_sentence(error))
        content = {
            **asdict(record),
            "local": _local(self.case, self.world),
            "error": type(error).__name__,
            "traceback": "".join(traceback.format_exception(error)),
            "snapshot": self._rescue(),
        }
        try:
            from twin.execution.output import write_json

            write_json(self.folder / FAILURE, content)
        except (OSError, TwinError) as second:
            return self.record(FAILED, stage=self.stage, message=f"{record.message} (not recorded: {second})")
        return record

    def _rescue(self) -> str:
        """Save the last good state; return its local time, "" when nothing could be saved."""
        if self.good is None:
            return ""
        try:
            self.good.save(self.folder)
        except (OSError, TwinError):
            return ""
        return _local(self.case, self.good)


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, TwinError) else f"{type(error).__name__}: {error}"


def _local(case: Case, world: World | None) -> str:
    if world is None:
        return ""
    from twin.units import format_local

    return format_local(case.start + world.now, world.assembly.city.timezone)
