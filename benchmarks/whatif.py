"""Which of 20 policies from now on: seconds for 20 policies x 10 futures x 2 h from a busy live state.

The demo's flood night on nusantara, 80 minutes in, with 72 ambulances and about 60 calls an hour:
calls, units and hospital bays are multiplied, all else is the demo. 20 policies with the present one, of
five kinds of dispatch and three of relocation, see `_POLICIES`.

tables_s          wall time to make the tables of the policies the first time (decision processes, placements); a
                  process keeps them, so that the next question from the same city does not wait for them
emergency_only_s  wall time on frozen travel times: only calls, units and their positions go on
coupled_s         wall time with traffic, power, water, telecom, fires, crews and feeds
*_cpu_s           processor time of the same, of all processes
coupled_alone_s   wall time of one coupled branch that the model itself runs: what each of the 200 would take
compiled_frozen, compiled_coupled  policies whose branches kernels ran; coupled, the present policy's run of
                  each future is the model's, and witnesses for the others what they read of the city
bytes_equal       1 when the KPI bytes of coupled branches equal those of runs from t = 0 that switch at the
                  branch instant: all 200, with --quick a few. Each process that makes such runs goes from
                  t = 0 to the instant once, and each run takes over from a fork of it there
compiled_equal    1 when the branches of the first future, which a kernel runs on frozen times, have the
                  bytes that the model gives on the same times
kendall_frozen_vs_coupled  Kendall's tau-b of the two rankings by mean response
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import struct
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Report, Target, seconds

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.whatif import WhatIf
    from twin.world import World

_UNITS, _CALLS, _DESK = 4, 18.0, 12
_AT = 80
_POLICIES = (
    *(f"closest_idle(siren_share={share})" for share in (0.0, 0.25, 1.0)),
    *(f"dmexclp(busy_fraction={busy})" for busy in (0.0, 0.2, 0.4, 0.6, 0.8)),
    *("districts", "districts(siren_share=1)", "mdp_heuristic", "mdp_heuristic(group=6)"),
    *("hospital_aware", "hospital_aware(sooner=180 s)"),
    *(f"closest_idle+{move}" for move in ("dmexclp_relocation", "priority_list", "compliance_table")),
    *(f"{rule}+dmexclp_relocation" for rule in ("dmexclp", "hospital_aware")),
)


@dataclass(frozen=True)
class _Size:
    """How much is asked: policies beside the present one, futures, minutes, and runs from the start."""

    policies: tuple[str, ...]
    futures: int
    minutes: int
    checked: int


def measure(seed: int, quick: bool) -> Report:
    """Return wall times, the exactness of branches and the agreement of rankings."""
    from twin.whatif import read_choice
    from twin.whatif.frozen import all_but

    size = _Size(_POLICIES[3::5], 3, 20, 6) if quick else _Size(_POLICIES, 10, 120, 200)
    world = _live(_assembly(seed))
    found: dict[str, Any] = {}
    frozen = all_but(world.assembly, "emergency", "avl")
    for still in ((), frozen):
        _ask(world, replace(size, policies=_POLICIES[:1], futures=1, minutes=2), still)
    figures = {"tables_s": seconds(lambda: [read_choice(policy, world.assembly) for policy in size.policies])}
    for key, still in (("emergency_only", frozen), ("coupled", ())):
        before = _processor()
        figures[f"{key}_s"] = seconds(lambda still=still, key=key: found.update({key: _ask(world, size, still)}))
        figures[f"{key}_cpu_s"] = _processor() - before
    coupled, alone = found["coupled"], replace(size, policies=(), futures=1)
    count = len(coupled.branches)
    figures |= {
        "coupled_alone_s": seconds(lambda: _ask(world, alone, (), compiled=False)),
        "bytes_equal": float(_equal(world, coupled, size)),
        "kendall_frozen_vs_coupled": _kendall(found["emergency_only"], coupled),
        "branches": float(count),
        "compiled_frozen": float(len(found["emergency_only"].compiled)),
        "compiled_coupled": float(len(coupled.compiled)),
        "compiled_equal": float(_compiled_equal(world, found["emergency_only"], size, frozen)),
        "branch_frozen_ms": 1000 * figures["emergency_only_s"] / count,
        "branch_coupled_ms": 1000 * figures["coupled_s"] / count,
        **_busyness(world),
    }
    bounds = () if quick else (Target("emergency_only_s", "<=", 2), Target("coupled_s", "<=", 30))
    targets = (*bounds, Target("bytes_equal", "==", 1), Target("compiled_equal", "==", 1))
    setup = {"policies": len(coupled.choices), "futures": size.futures, "minutes": size.minutes}
    workers = len(os.sched_getaffinity(0))
    return Report(figures, targets, {**setup, "checked": min(size.checked, count), "workers": workers})


def _processor() -> float:
    """Return the processor time (s) of this process and of those it has ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def _assembly(seed: int) -> Assembly:
    """Return the demo with more calls, units, bays and people at the desk."""
    import twin
    from twin.city import City
    from twin.execution.run import assemble

    case = twin.load("nusantara").cases()[0]
    city = case.city()
    tables = {name: dict(table) for name, table in city.tables.items()}
    tables["stations"]["units"] = _UNITS * np.asarray(tables["stations"]["units"])
    tables["hospitals"]["bays"] = _UNITS * np.asarray(tables["hospitals"]["bays"])
    place = (city.name, city.title, city.driving_side, city.timezone, city.crs)
    larger = City(*place, tables, city.parameters, city.provenance, city.report)
    given = {"calls_factor": _CALLS, "call_takers": _DESK, "dispatchers": _DESK}
    options = {**case.options, "emergency": {**case.options["emergency"], **given}}
    return assemble(replace(case, seed=seed, options=options), larger)


def _live(assembly: Assembly) -> World:
    from twin.contract import MINUTE
    from twin.world import World

    return World(assembly).run(_AT * MINUTE)


def _ask(world: World, size: _Size, frozen: tuple[str, ...], compiled: bool = True) -> WhatIf:
    from twin.contract import MINUTE

    asked = world.branch(
        policies=size.policies,
        horizon=size.minutes * MINUTE,
        replications=size.futures,
        frozen=frozen,
        compiled=compiled,
        by="response_mean",
    )
    if asked.failed:
        raise RuntimeError(asked.failed[0].message)
    return asked


def _compiled_equal(world: World, found: WhatIf, size: _Size, frozen: tuple[str, ...]) -> bool:
    """Tell whether the kernel gives the bytes that the model gives on frozen times, for the first future."""
    model = _ask(world, replace(size, futures=1), frozen, compiled=False)
    first = [b for b in found.branches if b.replication == 0]
    return len(found.compiled) == len(found.choices) and all(
        _bits(a.whole) == _bits(b.whole) and _bits(a.figures) == _bits(b.figures)
        for a, b in zip(first, model.branches, strict=True)
    )


def _equal(world: World, found: WhatIf, size: _Size) -> bool:
    """Tell whether branches equal runs from the start, spread over all branches."""
    picked = np.unique(np.linspace(0, len(found.branches) - 1, size.checked).astype(int))
    branches = [found.branches[i] for i in picked.tolist()]
    tasks = [
        (world.seed, b.policy if b.policy != found.present else None, b.replication, size.minutes) for b in branches
    ]
    context = multiprocessing.get_context("spawn")
    workers = len(os.sched_getaffinity(0))
    parts = [tasks[i::workers] for i in range(workers)]
    with ProcessPoolExecutor(workers, context) as pool:
        ends = list(pool.map(_from_start, parts))
    return all(
        end == _bits(branch.whole)
        for i, part in enumerate(ends)
        for end, branch in zip(part, branches[i::workers], strict=True)
    )


_Task = tuple[int, str | None, int, int]
"""Seed, policy (None for the present one), future, minutes after the branch instant."""


def _from_start(tasks: Sequence[_Task]) -> list[dict[str, bytes]]:
    """Run from t = 0, switch at the branch instant; return the KPI bytes at the end of the horizon of each task."""
    if not tasks:
        return []
    live = _live(_assembly(tasks[0][0]))
    context = multiprocessing.get_context("fork")
    found = []
    for task in tasks:
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_switched, args=(live, task, theirs))
        process.start()
        found.append(mine.recv())
        process.join()
    return found


def _switched(live: World, task: _Task, answer: Any) -> None:
    """Go on under another policy and send the KPI bytes."""
    from twin.contract import MINUTE
    from twin.whatif import future_seed

    seed, policy, replication, minutes = task
    world = live.switch(policy, future_seed(seed, _AT * MINUTE, replication))
    answer.send(_bits(world.run((_AT + minutes) * MINUTE).kpis()))


def _bits(figures: Mapping[str, float]) -> dict[str, bytes]:
    return {name: struct.pack("<d", value) for name, value in figures.items()}


def _kendall(frozen: WhatIf, coupled: WhatIf) -> float:
    from scipy.stats import kendalltau

    one, two = dict(frozen.ranked()), dict(coupled.ranked())
    return float(kendalltau([one[label] for label in coupled.choices], [two[label] for label in coupled.choices])[0])


def _busyness(world: World) -> dict[str, float]:
    from twin.contract import HOUR

    calls: Any = world.assembly.by_name["emergency"]
    hour = (calls.calls.time >= world.now) & (calls.calls.time < world.now + HOUR)
    return {
        "calls_next_hour": float(hour.sum()),
        "units": float(world.state.layout.rows["unit"]),
        "units_busy_share": float((~world.state["unit.free"]).mean()),
        "vehicles_on_road": float(world.state["outcome.vehicles"].sum()),
    }
