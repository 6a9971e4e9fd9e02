"""Three ways to run jobs at once: one after the other here, in threads, in worker processes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twin.contract import HOUR, Component
from twin.errors import TwinError
from twin.execution.board import Board, Pace, stopping_on_signals
from twin.execution.memory import Memory
from twin.execution.run import FAILED, WAITING, Control, Record, run_case
from twin.execution.warned import telling_runs, told_of

if TYPE_CHECKING:
    from twin.scenario import Case

EXECUTORS = ("processes", "threads")
POLL = 0.1
_WATCH, _GRACE = 0.5, 60.0
_IDLE = threading.Event()
_MEMORY = Memory()
_SINGLE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Execution:
    """How a suite is run.

    workers        how many runs go on at a time, 0 for one per core; one works in this process
    executor       "processes", or "threads" of this process: of use where nearly all time is
                   spent in kernels, which free Python's lock
    shard          (i, n): of every n runs the ith, from 1; other processes, perhaps on other
                   machines, make the others in the same folder
    patience       wall seconds to wait for runs that another process is writing, once all others are done
    keep_every     simulated us between states a failure can go back to
    snapshot_wall  wall seconds between snapshots of a run on disk
    warm           compile the kernels once before workers start
    """

    workers: int = 0
    executor: str = "processes"
    shard: tuple[int, int] = (1, 1)
    patience: float = 10.0
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


def here(jobs: list[Job], execution: Execution, watch: Watch | None) -> list[Record]:
    """Run jobs one after the other in this process."""
    board, pace = Board(len(jobs)), Pace(POLL)
    records = []
    with telling_runs(), stopping_on_signals(board), _watching(watch, board, jobs) as refresh:
        for number, job in enumerate(jobs):

            def progress(now: int, number: int = number) -> None:
                board.note(number, now)
                if pace.due():
                    refresh()

            with told_of(job.case):
                records.append(_one(job, board, execution, progress))
            board.note(number, records[-1].time)
    return records


def in_threads(jobs: list[Job], execution: Execution, workers: int, watch: Watch | None) -> list[Record]:
    """Run jobs in threads of this process; each has a world of its own."""
    from concurrent.futures import ThreadPoolExecutor

    board = Board(len(jobs))

    def work(number: int) -> Record:
        with told_of(jobs[number].case):
            record = _one(jobs[number], board, execution, lambda now: board.note(number, now))
        board.note(number, record.time)
        return record

    watched = _watching(watch, board, jobs)
    with telling_runs(), stopping_on_signals(board), watched as refresh, ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(work, number) for number in range(len(jobs))]
        while wait(waiting, POLL).not_done:
            refresh()
        return [future.result() for future in waiting]


def _one(
    job: Job, board: Board, execution: Execution, progress: Callable[[int], None], parent: int | None = None
) -> Record:
    """Run one job; it stops when the board says so, or when the process that wants it is gone."""

    def stop() -> bool:
        return board.stopping or (parent is not None and os.getppid() != parent)

    if stop():
        return _waiting(job)
    control = Control(progress, stop, execution.keep_every, execution.snapshot_wall, job.made_of)
    try:
        return run_case(job.case, job.folder, control)
    finally:
        _MEMORY.give_back()


def _waiting(job: Job) -> Record:
    case = job.case
    return Record(case.suite, case.arm, case.replication, case.seed, str(job.folder), WAITING)


def _watching(watch: Watch | None, board: Board, jobs: list[Job]) -> AbstractContextManager[Callable[[], None]]:
    if watch is None:
        return nullcontext(lambda: None)
    return watch(board, [job.case for job in jobs])


def in_processes(jobs: list[Job], execution: Execution, workers: int, watch: Watch | None) -> list[Record]:
    """Run jobs in worker processes made by loky; a script without a main guard works.

    A dying worker ends its round: the runs that had begun are tried once more, each alone, so that
    a deadly one is known; the others go on together.
    """
    folder = Path(tempfile.mkdtemp(prefix="twin-board-"))
    try:
        board = Board(len(jobs), folder / "board")
        with stopping_on_signals(board), _watching(watch, board, jobs) as refresh:
            crew = _Crew(jobs, execution, board, refresh)
            records: dict[int, Record] = {}
            left = list(range(len(jobs)))
            while left and not board.stopping:
                records.update(crew.round(left, workers))
                left = [n for n in left if n not in records]
                for number in [n for n in left if board.has_begun(n)] or left[:1]:
                    if not board.stopping:
                        records.update(crew.round([number], 1))
                        records.setdefault(number, _died(jobs[number]))
                left = [n for n in left if n not in records]
        return [records.get(number) or _waiting(jobs[number]) for number in range(len(jobs))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Crew:
    """Workers and what they share."""

    jobs: list[Job]
    execution: Execution
    board: Board
    refresh: Callable[[], None]

    def round(self, numbers: Sequence[int], workers: int) -> dict[int, Record]:
        """Run some jobs in fresh workers; those a dying process took with it are missing."""
        from loky import ProcessPoolExecutor

        pool = ProcessPoolExecutor(
            min(workers, len(numbers)), initializer=_enter, initargs=(os.getpid(),), env=_SINGLE_THREAD
        )
        records: dict[int, Record] = {}
        try:
            waiting = self._submit(pool, numbers)
            while waiting:
                for future in wait(waiting, POLL, FIRST_COMPLETED).done:
                    number = waiting.pop(future)
                    record = self._answer(future, number)
                    if record is not None:
                        records[number] = record
                self.refresh()
        finally:
            pool.shutdown(wait=True, kill_workers=self.board.stopping)
        return records

    def _submit(self, pool: Any, numbers: Sequence[int]) -> dict[Any, int]:
        """Hand out jobs until the pool breaks; the rest is for another round."""
        from loky.process_executor import BrokenProcessPool

        carried, waiting = _carried(), {}
        place = _Place(str(self.board.path), len(self.jobs), os.getpid())
        with suppress(BrokenProcessPool):
            for number in numbers:
                waiting[pool.submit(_work, number, self.jobs[number], self.execution, place, carried)] = number
        return waiting

    def _answer(self, future: Any, number: int) -> Record | None:
        """Return what a worker said, None when it died."""
        from loky.process_executor import BrokenProcessPool

        try:
            return cast("Record", future.result())
        except BrokenProcessPool:
            return None
        except Exception as error:
            return _lost(self.jobs[number], error)


@dataclass(frozen=True)
class _Place:
    """Where workers find the board, how many runs it is for, and whose workers they are."""

    board: str
    runs: int
    parent: int


def _work(number: int, job: Job, execution: Execution, place: _Place, carried: _Carried) -> Record:
    """Run one job in a worker."""
    from twin.registry import BUILT_IN

    for plugin in carried.plugins:
        BUILT_IN.use_plugin(plugin)
    for component in carried.classes:
        BUILT_IN.add(component)
    board = Board(place.runs, Path(place.board))
    board.begin(number)
    _IDLE.clear()
    try:
        with telling_runs(), told_of(job.case):
            record = _one(job, board, execution, lambda now: board.note(number, now), place.parent)
    finally:
        _IDLE.set()
    board.note(number, record.time)
    return record


def _enter(parent: int) -> None:
    """Prepare a worker: Ctrl-C is its parent's, who asks over the board; without a parent it leaves."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _IDLE.set()
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    """End this worker once its parent is gone and its job has saved itself."""
    while os.getppid() == parent:
        time.sleep(_WATCH)
    _IDLE.wait(_GRACE)
    os._exit(1)


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

    from twin.execution.output import write_json
    from twin.execution.run import FAILURE

    message = f"{type(error).__name__}: {error}"
    record = replace(_waiting(job), status=FAILED, stage="process", message=message)
    content: dict[str, Any] = {**asdict(record), "error": type(error).__name__, "traceback": "", "snapshot": ""}
    with suppress(TwinError, OSError):
        write_json(job.folder / FAILURE, content)
    return record
