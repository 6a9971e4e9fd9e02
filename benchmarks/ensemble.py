"""How well runs at once use the cores: worker processes and threads against one worker at a time.

Each measurement is one process of its own that runs a suite of the embedded city. One core is
measured on both sides of the others, so that a machine that slows down meanwhile shows.
Efficiency: run time in one worker / (workers x wall time of the same runs in several).
Worker start-up (imports, loading of compiled kernels) is not in it; it is a figure of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import Report, Target

WORKERS = 2
FULL, QUICK = 200, 8
BODY = """\
title: Ensemble
city: {name: nusantara, scale: SCALE}
start: 2026-01-15 17:00
duration: HOURS h
seed: SEED
replications: RUNS
events:
  - {at: +20 min, kind: surge, where: {lon: 116.7050, lat: -0.9800, radius: 6 km}, calls: 60, duration: 2 h}
"""
ALL = """\
models: [hazards, power, backup, telecom, traffic, emergency, restoration]
feeds: [probes, avl, scada]
policy: {dispatch: closest_idle, signals: fixed_time, restoration: first_come}
"""
COMPILED = """\
title: Emergency service, compiled
city: {name: nusantara, scale: 1}
start: 2026-01-15 17:00
duration: 48 h
seed: SEED
replications: RUNS
models: [ambulance_service]
options: {ambulance_service: {calls_factor: 100, units_factor: 150, dispatch: dmexclp, move_up: dmexclp}}
record: {every: 24 h}
"""


def measure(seed: int, quick: bool) -> Report:
    """Return efficiencies, equality of results, start-up of a worker and its peak memory.

    Full: 200 replications of at least 0.5 s each per arm of the comparison; quick: 8.
    """
    runs = QUICK if quick else FULL
    with tempfile.TemporaryDirectory() as scratch:
        whole = _written(Path(scratch), "whole", BODY + ALL, seed, runs)
        compiled = _written(Path(scratch), "compiled", COMPILED, seed, runs)
        _measured(whole, "processes", 1, "warm", runs=1)
        _measured(compiled, "processes", 1, "warm", runs=1)
        by = {
            "before": _measured(whole, "processes", 1, "before"),
            "processes": _measured(whole, "processes", WORKERS, "processes"),
            "after": _measured(whole, "processes", 1, "after"),
            "one": _measured(compiled, "processes", 1, "one"),
            "threads": _measured(compiled, "threads", WORKERS, "threads"),
            "threads_whole": _measured(whole, "threads", WORKERS, "threads_whole"),
        }
    alone = statistics.mean([by["before"]["span_s"], by["after"]["span_s"]])
    same = [("before", "processes"), ("before", "after"), ("before", "threads_whole"), ("one", "threads")]
    figures = {
        "efficiency_processes": alone / (WORKERS * by["processes"]["span_s"]),
        "efficiency_threads": by["one"]["span_s"] / (WORKERS * by["threads"]["span_s"]),
        "efficiency_threads_all_models": alone / (WORKERS * by["threads_whole"]["span_s"]),
        "kpis_identical": float(all(by[a]["digest"] == by[b]["digest"] for a, b in same)),
        "worker_start_s": by["processes"]["start_s"],
        "peak_worker_mb": by["processes"]["peak_mb"],
        "run_s": alone / runs,
        "run_compiled_s": by["one"]["span_s"] / runs,
        "ratio_one_core_after_before": by["after"]["span_s"] / by["before"]["span_s"],
    }
    targets = (
        Target("efficiency_processes", ">=", 0.85),
        Target("efficiency_threads", ">=", 0.85),
        Target("kpis_identical", "==", 1),
        Target("run_s", ">=", 0.5),
        Target("run_compiled_s", ">=", 0.5),
    )
    setup = {"runs": runs, "workers": WORKERS, "load_1min": round(os.getloadavg()[0], 2), "report": "off"}
    return Report(figures, targets, {**setup, "threads": "the compiled emergency service; all models apart"})


def _written(folder: Path, name: str, body: str, seed: int, runs: int) -> Path:
    """Write a scenario; a run of it takes 0.5 s and more on a core of 2024."""
    path = folder / f"{name}.yaml"
    body = body.replace("SCALE", "1").replace("HOURS", "3").replace("SEED", str(seed)).replace("RUNS", str(runs))
    path.write_text(f"scenario: {name}\n{body}")
    return path


def _measured(scenario: Path, executor: str, workers: int, name: str, runs: int = 0) -> dict[str, Any]:
    """Run a suite in a process of its own; return what it measured."""
    out = scenario.parent / name
    command = [sys.executable, "-m", "benchmarks.ensemble", str(scenario), str(out), executor, str(workers), str(runs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _digest(folder: Path) -> str:
    """Hash the bytes of every table of figures below a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("kpis.parquet")):
        total.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def _suite(scenario: str, out: str, executor: str, workers: int, runs: int) -> dict[str, float | str]:
    """Run a suite; return run time per worker, start-up, peak memory and the digest of its figures."""
    import resource
    import time

    from twin.execution.execute import Execution
    from twin.execution.suite import run_suite, select
    from twin.scenario import load

    found = load(scenario)
    cases = select(found, replications=runs or None)
    launched = time.time()
    outcome = run_suite(found, out, cases, Execution(workers, executor, warm=False, snapshot_wall=float("inf")))
    if not outcome.is_complete:
        raise RuntimeError(next(record.message for record in outcome.records if record.message))
    spans = sorted(_span(Path(record.folder)) for record in outcome.records)
    firsts = _firsts(spans, workers)
    begun = max(end for _, end in firsts)
    usual = statistics.median(end - begin for begin, end in spans)
    apart = resource.RUSAGE_CHILDREN if workers > 1 and executor == "processes" else resource.RUSAGE_SELF
    return {
        "span_s": _span_per_run(spans, begun) * len(spans),
        "start_s": max(end for _, end in firsts) - launched - usual,
        "peak_mb": resource.getrusage(apart).ru_maxrss / 1024,
        "digest": _digest(outcome.folder),
    }


def _span(run: Path) -> tuple[float, float]:
    """Return when a run began and when it was complete, s."""
    return (run / "case.json").stat().st_mtime, (run / "manifest.json").stat().st_mtime


def _firsts(spans: list[tuple[float, float]], workers: int) -> list[tuple[float, float]]:
    """Return the first run of each worker: that with which one more than ever go on at once."""
    found: list[tuple[float, float]] = []
    for begin, end in spans:
        if sum(b <= begin < e for b, e in spans) > len(found) and len(found) < workers:
            found.append((begin, end))
    return found


def _span_per_run(spans: list[tuple[float, float]], begun: float) -> float:
    """Return wall seconds per run once all workers are past their first; a run under way then counts in part."""
    work = sum(min((end - begun) / (end - begin), 1.0) for begin, end in spans if end > begun)
    return (max(end for _, end in spans) - begun) / work if work else float("nan")


if __name__ == "__main__":
    _scenario, _out, _executor, _workers, _runs = sys.argv[1:]
    print(json.dumps(_suite(_scenario, _out, _executor, int(_workers), int(_runs))))
