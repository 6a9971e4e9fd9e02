"""Run every policy with every future of a live state, in forks of this process."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Model, Policy
from twin.errors import DataError
from twin.stats import Figure
from twin.units import format_duration, format_local, parse_duration
from twin.whatif.choices import Choice, Spec, present_label, read_choices, refuse_idle
from twin.whatif.compiled import find_twin
from twin.whatif.frozen import check_frozen
from twin.whatif.plan import Plan
from twin.whatif.result import Branch, WhatIf

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.world import World

Progress = Callable[[int, int], None]

MOST_BRANCHES = 100_000
_MOST_PARCELS = 2000


@dataclass(frozen=True)
class Question:
    """What is asked of a live state.

    policies      what to try beside the present policies; see `twin.whatif.choices`
    horizon       us, or text such as "2 h"
    replications  futures, each with a seed of its own that all policies share
    workers       processes, 0 for one per core, 1 for this one
    frozen        models and feeds that stand still, for quick answers
    compiled      let a model that reaches no other run its branches by its kernel, where it can
    by            figure to rank by; default the first of the model that carries out the orders
    progress      called with branches done and branches in all
    """

    policies: Sequence[Spec]
    horizon: int | str = "2 h"
    replications: int = 10
    workers: int = 0
    frozen: Sequence[str] = ()
    by: str = ""
    compiled: bool = True
    progress: Progress | None = field(default=None, compare=False)


def what_if(world: World, question: Question) -> WhatIf:
    """Answer which policies do better from now on; the world itself is left as it is.

    The first Ctrl-C ends it and keeps the branches that are done.
    Raises DataError or ContractError for a policy, horizon, figure or model that cannot be.
    """
    world._begin()
    assembly = world.assembly
    task = check(assembly, world.now, question)
    end = world.now + task.horizon
    twin = find_twin(world, task.choices, task.frozen, end) if question.compiled else None
    plan = Plan(world, task.choices, task.frozen, end, twin)
    tasks = [(c, r) for r in range(question.replications) for c in range(len(task.choices))]
    done, broken_off = _run(plan, tasks, question)
    return WhatIf(
        choices=tuple(choice.label for choice in task.choices),
        figures=task.figures,
        by=task.by,
        branches=tuple(done),
        at=world.now,
        local=format_local(assembly.setup.start + world.now, assembly.city.timezone),
        horizon=task.horizon,
        frozen=tuple(sorted(task.frozen)),
        place=assembly.city.title,
        broken_off=broken_off,
        compiled=tuple(choice.label for i, choice in enumerate(task.choices) if plan.is_compiled(i)),
    )


@dataclass(frozen=True)
class Checked:
    """A question understood: choices set up, the present one first; horizon in us; figures that will be had."""

    choices: tuple[Choice, ...]
    horizon: int
    frozen: frozenset[str]
    figures: tuple[Figure, ...]
    by: str


def check(assembly: Assembly, now: int, question: Question) -> Checked:
    """Return what a question means at an instant (us) of a run; errors as of `what_if`."""
    frozen = check_frozen(assembly, question.frozen)
    asked = read_choices(question.policies, assembly)
    refuse_idle(asked, assembly, frozen)
    choices = _with_present(asked, present_label(assembly, asked))
    horizon = check_horizon(assembly, now, question.horizon)
    count = len(choices) * check_whole("replications", question.replications)
    check_whole("workers", question.workers)
    if question.replications < 1 or count > MOST_BRANCHES:
        raise DataError(f"{count} branches were asked for; 1 to {MOST_BRANCHES:,} can be run")
    figures = _figures(assembly.components, frozen)
    by = check_figure(question.by, figures) if question.by else _first_figure(choices, assembly, figures)
    return Checked(tuple(choices), horizon, frozen, tuple(figures), by)


def check_whole(name: str, value: Any) -> int:
    """Return a whole number; raise DataError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise DataError(f"{name} ({value!r}) must be a whole number")
    return int(value)


def check_horizon(assembly: Assembly, now: int, horizon: int | str) -> int:
    """Return a horizon in us that ends within the scenario; calls and trips are known no further."""
    time = parse_duration(horizon) if isinstance(horizon, str) else check_whole("horizon", horizon)
    left = assembly.setup.duration - now
    if time < SECOND:
        told = "" if isinstance(horizon, str) else ": a number counts microseconds, a text has a unit, as '2 h'"
        raise DataError(f"horizon ({horizon}) must be 1 s or longer{told}")
    if time > left:
        most = f"ask for at most {format_duration(left)}" if left > 0 else "branch earlier"
        raise DataError(
            f"horizon ({horizon}) reaches beyond the end of the scenario, to which calls and trips are drawn; "
            f"{most}, or run a scenario of longer duration"
        )
    return time


def check_figure(name: str, figures: Sequence[Figure]) -> str:
    """Return the name of a figure that can be ranked by."""
    known = [figure.name for figure in figures]
    if name not in known:
        raise DataError(f"no figure {name!r} to rank by; there are {', '.join(known)}")
    return name


def _with_present(asked: Sequence[Choice], present: str) -> list[Choice]:
    """Put the present policies first, under the name they were asked for if they were."""
    same = [choice for choice in asked if not choice.policies]
    others = [choice for choice in asked if choice.policies]
    labels = [same[0].label if same else present, *(choice.label for choice in others)]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise DataError(f"{twice[0]} is asked for twice")
    return [Choice(labels[0]), *others]


def _figures(components: Sequence[Any], frozen: frozenset[str]) -> list[Figure]:
    live = [c for c in components if isinstance(c, Model) and c.name not in frozen]
    return [Figure(k.name, k.unit, k.direction, k.margin) for c in live for k in c.kpi_list]


def _first_figure(choices: Sequence[Choice], assembly: Assembly, figures: Sequence[Figure]) -> str:
    """Return the first figure of a model that carries out what a tried policy orders."""
    known = {figure.name for figure in figures}
    policies: list[Policy] = [policy for choice in choices for policy in choice.policies]
    for order in [kind for policy in policies for kind in policy.commands]:
        for kpi in getattr(assembly.handler.get(order), "kpi_list", ()):
            if kpi.name in known:
                return str(kpi.name)
    if not figures:
        raise DataError("no model that goes on has a figure to rank by")
    return figures[0].name


def _run(plan: Plan, tasks: Sequence[tuple[int, int]], question: Question) -> tuple[list[Branch], bool]:
    """Run branches; return those done, by replication and choice, and whether it was broken off."""
    quick = [task for task in tasks if plan.is_compiled(task[0]) and not plan.shares(task[0])]
    here_first = set(quick)
    parcels = _parcels(plan, [task for task in tasks if task not in here_first])
    workers = min(question.workers or _cores(), len(parcels))
    forks = workers > 1 and "fork" in multiprocessing.get_all_start_methods()
    done: dict[tuple[int, int], Branch] = {}
    here = ((task, plan.run(*task)) for parcel in parcels for task in parcel)
    slow = _in_forks(plan, parcels, workers) if forks else here
    found = chain(((task, plan.run(*task)) for task in quick), slow)
    broken_off = False
    try:
        for task, branch in found:
            done[task] = branch
            if question.progress is not None:
                question.progress(len(done), len(tasks))
    except KeyboardInterrupt:
        broken_off = True
    return [done[task] for task in tasks if task in done], broken_off


def _parcels(plan: Plan, tasks: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Pack branches for workers: those of one future that share a film together, the others few at a time."""
    shared: dict[int, list[tuple[int, int]]] = {}
    for task in tasks:
        if plan.shares(task[0]):
            shared.setdefault(task[1], []).append(task)
    alone = [task for task in tasks if not plan.shares(task[0])]
    size = max(1, len(alone) // _MOST_PARCELS)
    return [*shared.values(), *(list(alone[i : i + size]) for i in range(0, len(alone), size))]


def _cores() -> int:
    """Return the processor cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


Outcomes = list[tuple[tuple[int, int], Branch]]
"""(choice, replication) and what came of it."""

_plan: list[Plan] = []
"""The plan of a forked worker: inherited memory, so nothing is sent or set up again."""


def _enter(plan: Plan) -> None:
    """Begin as a worker: Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _plan[:] = [plan]


def _work(tasks: Sequence[tuple[int, int]]) -> Outcomes:
    return [(task, _plan[0].run(*task)) for task in tasks]


def _in_forks(
    plan: Plan, parcels: Sequence[Sequence[tuple[int, int]]], workers: int
) -> Iterator[tuple[tuple[int, int], Branch]]:
    """Yield branches as forked workers finish them; arguments of a fork are inherited, not sent."""
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, context, _enter, (plan,))
    waiting: dict[Future[Outcomes], Sequence[tuple[int, int]]] = {}
    ended = False
    try:
        for parcel in parcels:
            waiting[_submitted(pool, parcel)] = parcel
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield from _opened(plan, future, waiting.pop(future))
        ended = True
    finally:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=ended, cancel_futures=True)
        for process in [] if ended else processes:
            process.terminate()


def _submitted(pool: ProcessPoolExecutor, parcel: Sequence[tuple[int, int]]) -> Future[Outcomes]:
    """Hand out branches; where a worker has died already, return a future that says so."""
    try:
        return pool.submit(_work, parcel)
    except BrokenProcessPool as error:
        future: Future[Outcomes] = Future()
        future.set_exception(error)
        return future


def _opened(plan: Plan, future: Future[Outcomes], parcel: Sequence[tuple[int, int]]) -> Outcomes:
    """Return what a worker sent; branches of one that died have failed."""
    try:
        return future.result()
    except BrokenProcessPool:
        why = "a process died (out of memory, or killed); try fewer workers"
        return [((c, r), Branch(plan.choices[c].label, r, message=why)) for c, r in parcel]
