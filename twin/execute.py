"""Run many cases: in this process or in workers, resumable, one failure never the end of a suite."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.board import Board, Pace, stopping_on_signals
from twin.contract import HOUR, SECOND, Component
from twin.errors import DataError, TwinError
from twin.run import FAILED, MANIFEST, WAITING, Control, Record, city_folder, run_case, run_folder

if TYPE_CHECKING:
    from twin.scenario import Case

_POLL = 0.1
_WARM = 600 * SECOND
_SINGLE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Execution:
    """How a suite is run.

    workers        processes, 0 for one per core; one works in this process
    keep_every     simulated us between states a failure can go back to
    snapshot_wall  wall seconds between snapshots of a run on disk
    warm           compile the kernels once before workers start
    """

    workers: int = 0
    keep_every: int = HOUR
    snapshot_wall: float = 30.0
    warm: bool = True


@dataclass(frozen=True)
class Job:
    """A case, where its results go, and what it was made of when the suite started."""

    case: Case
    folder: Path
    made_of: Mapping[str, Any]


Watch = Callable[[Board, Sequence["Case"]], AbstractContextManager[Callable[[], None]]]
"""Show a board while cases run: a context whose value is called ten times a second."""


def execute(
    cases: Sequence[Case], out: str | Path, execution: Execution | None = None, watch: Watch | None = None
) -> list[Record]:
    """Run cases below a folder; return one record each, in their order.

    Complete runs are kept, interrupted and failed ones go on from their snapshots. The first
    Ctrl-C saves every run and returns; figures never depend on the number of workers.
    """
    execution = execution or Execution()
    _check_writable(Path(out))
    jobs = [_job(case, out) for case in cases]
    _keep_cities(jobs)
    todo = [i for i, job in enumerate(jobs) if not (job.folder / MANIFEST).is_file()]
    records = {i: run_case(jobs[i].case, jobs[i].folder) for i in range(len(jobs)) if i not in set(todo)}
    if todo:
        workers = min(execution.workers or _cores(), len(todo))
        if execution.warm and workers > 1:
            warm([cases[i] for i in todo])
        open_jobs = [jobs[i] for i in todo]
        done = _here(open_jobs, execution, watch) if workers == 1 else _apart(open_jobs, execution, workers, watch)
        records.update(zip(todo, done, strict=True))
    return [records[i] for i in range(len(cases))]


def warm(cases: Sequence[Case]) -> bool:
    """Compile every kernel that cases use by a tiny run of each arm; False when done before.

    Done once per version of the code and set of components. The events of a case are moved to its
    first minutes so that their kernels run as well; failures are left to the real run, which records them.
    """
    from twin.run import assemble
    from twin.world import World

    marker = _kernel_cache() / f"warm-{_warmth(cases)}"
    if marker.exists():
        return False
    try:
        for case in {case.arm: case for case in reversed(cases)}.values():
            early = tuple(replace(event, time=min(event.time, 60 * SECOND)) for event in case.events)
            World(assemble(replace(case, events=early, duration=min(case.duration, _WARM)))).run()
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except (TwinError, OSError):
        return True
    return True


def _warmth(cases: Sequence[Case]) -> str:
    """Name what kernels were compiled for: code, libraries, components."""
    from twin.identity import code_digest, libraries

    parts = {name for case in cases for name in (*case.models, *dict(case.feeds), *case.policies.values())}
    return hashlib.sha256(repr((code_digest(), libraries(), sorted(parts))).encode()).hexdigest()[:20]


def _kernel_cache() -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "citytwin"


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _check_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=out):
            pass
    except OSError as error:
        raise DataError(f"cannot write results to {out}: {error.strerror or error}; name another with --out") from error


def _job(case: Case, out: str | Path) -> Job:
    from twin.identity import identity

    made_of = identity(case, case.city())
    return Job(case, run_folder(case, out, made_of), made_of)


def _keep_cities(jobs: Sequence[Job]) -> None:
    """Put a copy of each city beside its runs, so that results can be drawn anywhere."""
    seen: set[Path] = set()
    for job in jobs:
        city = job.case.city()
        target = job.folder.parent.parent / city_folder(city)
        if target not in seen and not target.exists():
            city.save(target)
        seen.add(target)


def _here(jobs: list[Job], execution: Execution, watch: Watch | None) -> list[Record]:
    """Run jobs one after the other in this process."""
    board, pace = Board(len(jobs)), Pace(_POLL)
    records = []
    with stopping_on_signals(board), _watching(watch, board, jobs) as refresh:
        for number, job in enumerate(jobs):

            def progress(now: int, number: int = number) -> None:
                board.note(number, now)
                if pace.due():
                    refresh()

            records.append(_one(job, board, execution, progress))
            board.note(number, records[-1].time)
    return records


def _one(job: Job, board: Board, execution: Execution, progress: Callable[[int], None]) -> Record:
    if board.stopping:
        return _waiting(job)
    control = Control(progress, lambda: board.stopping, execution.keep_every, execution.snapshot_wall, job.made_of)
    return run_case(job.case, job.folder, control)


def _waiting(job: Job) -> Record:
    case = job.case
    return Record(case.suite, case.arm, case.replication, case.seed, str(job.folder), WAITING)


def _watching(watch: Watch | None, board: Board, jobs: list[Job]) -> AbstractContextManager[Callable[[], None]]:
    if watch is None:
        return nullcontext(lambda: None)
    return watch(board, [job.case for job in jobs])


def _apart(jobs: list[Job], execution: Execution, workers: int, watch: Watch | None) -> list[Record]:
    """Run jobs in worker processes made by loky; a script without a main guard works."""
    folder = Path(tempfile.mkdtemp(prefix="twin-board-"))
    try:
        board = Board(len(jobs), folder / "board")
        with stopping_on_signals(board), _watching(watch, board, jobs) as refresh:
            records = _round(jobs, range(len(jobs)), execution, workers, board, refresh)
            for number in [n for n in range(len(jobs)) if n not in records]:
                if board.stopping:
                    records[number] = _waiting(jobs[number])
                    continue
                records.update(_round(jobs, [number], execution, 1, board, refresh))
                records.setdefault(number, _died(jobs[number]))
        return [records[number] for number in range(len(jobs))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _round(
    jobs: list[Job],
    numbers: Sequence[int],
    execution: Execution,
    workers: int,
    board: Board,
    refresh: Callable[[], None],
) -> dict[int, Record]:
    """Run some jobs in fresh workers; those a dying process took with it are missing."""
    from loky import ProcessPoolExecutor
    from loky.process_executor import BrokenProcessPool

    carried = _carried()
    pool = ProcessPoolExecutor(max_workers=workers, initializer=_ignore_interrupts, env=_SINGLE_THREAD)
    records: dict[int, Record] = {}
    try:
        place = str(board.path), len(jobs)
        waiting = {pool.submit(_work, n, jobs[n], execution, place, carried): n for n in numbers}
        while waiting:
            for future in wait(waiting, _POLL, FIRST_COMPLETED).done:
                number = waiting.pop(future)
                try:
                    records[number] = future.result()
                except BrokenProcessPool:
                    continue
                except Exception as error:
                    records[number] = _lost(jobs[number], error)
            refresh()
    finally:
        pool.shutdown(wait=True, kill_workers=board.stopping)
    return records


def _work(number: int, job: Job, execution: Execution, place: tuple[str, int], carried: _Carried) -> Record:
    """Run one job in a worker."""
    from twin.registry import BUILT_IN

    for plugin in carried.plugins:
        BUILT_IN.use_plugin(plugin)
    for component in carried.classes:
        BUILT_IN.add(component)
    board = Board(place[1], Path(place[0]))
    record = _one(job, board, execution, lambda now: board.note(number, now))
    board.note(number, record.time)
    return record


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which asks workers to save over the board."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class _Carried:
    """Components that workers cannot import by themselves.

    classes  defined in the user's script or notebook; they travel by cloudpickle
    plugins  files the user named in this process
    """

    classes: tuple[type[Component], ...]
    plugins: tuple[str, ...]


def _carried() -> _Carried:
    from twin.registry import BUILT_IN, KINDS

    found = [c for kind in KINDS for c in BUILT_IN.all(kind).values()]
    plugged = {str(sys.modules[c.__module__].__file__) for c in found if c.__module__.startswith("twin_plugin_")}
    return _Carried(tuple(c for c in found if c.__module__ == "__main__"), tuple(sorted(plugged)))


def _died(job: Job) -> Record:
    return _lost(job, RuntimeError("the process that ran it died (out of memory, or killed)"))


def _lost(job: Job, error: Exception) -> Record:
    """Record a case whose process could not answer."""
    from dataclasses import asdict

    from twin.output import write_json
    from twin.run import FAILURE

    message = f"{type(error).__name__}: {error}"
    record = replace(_waiting(job), status=FAILED, stage="process", message=message)
    content: dict[str, Any] = {**asdict(record), "error": type(error).__name__, "traceback": "", "snapshot": ""}
    write_json(job.folder / FAILURE, content)
    return record
