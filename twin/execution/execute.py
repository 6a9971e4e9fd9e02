"""Run many cases: in this process or in workers, resumable, one failure never the end of a suite."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from twin.caches import user_cache
from twin.contract import SECOND
from twin.durable import FolderLock
from twin.errors import DataError, TwinError
from twin.execution.executors import EXECUTORS, POLL, Execution, Job, Watch, here, in_processes, in_threads
from twin.execution.manifest import city_folder
from twin.execution.run import ELSEWHERE, Record, finished, run_folder

if TYPE_CHECKING:
    from twin.scenario import Case

__all__ = ["Execution", "Job", "Watch", "execute", "in_shard", "is_warm", "parse_shard", "warm"]

_WARM = 600 * SECOND


def execute(
    cases: Sequence[Case], out: str | Path, execution: Execution | None = None, watch: Watch | None = None
) -> list[Record]:
    """Run cases below a folder; return one record each, in their order.

    Complete runs are kept, damaged ones run again, interrupted and failed ones go on from their
    snapshots; those that another process is writing are left to it. The first Ctrl-C
    saves every run and returns; figures never depend on the number of workers.
    """
    execution = execution or Execution()
    if execution.executor not in EXECUTORS:
        raise DataError(f"no executor {execution.executor!r}; choose one of {', '.join(EXECUTORS)}")
    jobs = [_job(case, out) for case in cases]
    done = [finished(job.case, job.folder) for job in jobs]
    records = {i: record for i, record in enumerate(done) if record is not None}
    todo = [i for i in range(len(jobs)) if i not in records]
    if todo:
        _check_writable(Path(out))
        _keep_cities(jobs)
        if execution.warm and len(todo) > 1 and (execution.workers or available_cores()) > 1:
            warm([cases[i] for i in todo])
        records.update(zip(todo, _run([jobs[i] for i in todo], execution, watch), strict=True))
    _wait_for_others(jobs, records, execution, watch)
    return [records[i] for i in range(len(cases))]


def parse_shard(text: str) -> tuple[int, int]:
    """Return the shard that text such as "2/4" names.

    Raises DataError when it names none.

    >>> parse_shard("2/4")
    (2, 4)
    """
    number, slash, count = text.partition("/")
    if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise DataError(f"no shard {text!r}; write i/n with 1 <= i <= n, for example 1/4")


def in_shard(cases: Sequence[Case], shard: tuple[int, int]) -> list[Case]:
    """Return the cases of a shard; every case is in one, and all shards are of one size, give or take one."""
    number, count = shard
    return list(cases[number - 1 :: count])


def _run(jobs: list[Job], execution: Execution, watch: Watch | None) -> list[Record]:
    """Run jobs in this process, its threads or others."""
    workers = min(execution.workers or available_cores(), len(jobs))
    if workers == 1:
        return here(jobs, execution, watch)
    by = in_threads if execution.executor == "threads" else in_processes
    return by(jobs, execution, workers, watch)


def _wait_for_others(
    jobs: Sequence[Job], records: dict[int, Record], execution: Execution, watch: Watch | None
) -> None:
    """Take up runs that another process was writing, once it has let go of them."""
    deadline = time.monotonic() + execution.patience
    while left := [i for i, record in records.items() if record.status == ELSEWHERE]:
        free = [i for i in left if not FolderLock(jobs[i].folder).is_held()]
        if free:
            records.update(zip(free, _run([jobs[i] for i in free], execution, watch), strict=True))
        elif time.monotonic() > deadline:
            return
        else:
            time.sleep(POLL)


def warm(cases: Sequence[Case]) -> bool:
    """Compile every kernel that cases use by a tiny run of each arm; False when done before.

    Done once per version of the code and set of components. The events of a case are moved to its
    first minutes so that their kernels run as well; failures are left to the real run, which records them.
    """
    from twin.execution.run import assemble
    from twin.world import World

    marker = _marker(cases)
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


def is_warm(cases: Sequence[Case]) -> bool:
    """Tell whether the kernels that cases use have been compiled on this machine, as far as `warm` knows."""
    return _marker(cases).exists()


def _marker(cases: Sequence[Case]) -> Path:
    return _kernel_cache() / f"warm-{_warmth(cases)}"


def _warmth(cases: Sequence[Case]) -> str:
    """Name what kernels were compiled for: code, libraries, components."""
    from twin.execution.identity import code_digest, libraries

    parts = {name for case in cases for name in (*case.models, *dict(case.feeds), *case.policies.values())}
    return hashlib.sha256(repr((code_digest(), libraries(), sorted(parts))).encode()).hexdigest()[:20]


def _kernel_cache() -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(chosen) if chosen else user_cache()


def available_cores() -> int:
    """Return the processor cores this process may use."""
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
    from twin.execution.identity import identity

    made_of = identity(case, case.city())
    folder = run_folder(case, out, made_of)
    if not folder.resolve().is_relative_to(Path(out).resolve()):
        raise DataError(f"{folder} leads out of {out} through a link; run it in a folder of its own")
    return Job(case, folder, made_of)


def _keep_cities(jobs: Sequence[Job]) -> None:
    """Put a copy of each city beside its runs, so that results can be drawn anywhere."""
    seen: set[Path] = set()
    for job in jobs:
        city = job.case.city()
        target = job.folder.parent.parent / city_folder(city)
        if target not in seen and not target.exists():
            city.save(target)
        seen.add(target)
