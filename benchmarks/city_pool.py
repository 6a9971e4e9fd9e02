"""Replications of a small city, made once and kept: raw material of the statistical benchmarks."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from twin.scenario import Case

SCENARIO = """\
scenario: {name}
city: {{name: nusantara, scale: {scale}}}
start: 2026-01-15 17:00
duration: {hours} h
seed: {seed}
replications: {replications}
models: {models}
feeds: {feeds}
policy: {{{policy}}}
{rest}
"""


def figures_of(text: str) -> dict[str, dict[str, dict[int, float]]]:
    """Return arm -> figure -> seed -> value of a scenario, from the store or by running it with two workers.

    Only figures are kept, under a name made of everything the runs are made of.
    """
    import twin
    from twin.caches import cache_folder
    from twin.execution.execute import Execution
    from twin.execution.suite import run_suite

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        scenario = twin.load(path)
        store = cache_folder("figures") / f"{_digest(scenario.cases())}.json"
        if store.is_file():
            return _read(store)
        outcome = run_suite(scenario, Path(scratch) / "results", execution=Execution(workers=2))
        if not outcome.is_complete:
            failed = next(record for record in outcome.records if record.status != "complete")
            raise RuntimeError(f"{failed.arm} replication {failed.replication}: {failed.message}")
        values = outcome.results().values()
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text(json.dumps(values), encoding="utf-8")
    return values


def columns(arm: Mapping[str, Mapping[int, float]]) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return the figures of an arm as arrays over the replications, by rising seed."""
    return {name: np.array([values[seed] for seed in sorted(values)]) for name, values in arm.items()}


def _digest(cases: list[Case]) -> str:
    """Name what the runs are made of: the arms' identities and the number of replications."""
    from twin.execution.identity import identity, run_id

    firsts = {case.arm: run_id(identity(case, case.city())) for case in cases if case.replication == 0}
    return hashlib.sha256(json.dumps([firsts, len(cases)]).encode()).hexdigest()[:20]


def _read(store: Path) -> dict[str, dict[str, dict[int, float]]]:
    content = json.loads(store.read_text(encoding="utf-8"))
    return {
        arm: {name: {int(seed): float(v) for seed, v in values.items()} for name, values in figures.items()}
        for arm, figures in content.items()
    }
