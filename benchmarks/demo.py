"""How long the demonstration takes after set-up: with an empty kernel cache, and warm."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report import Report, Target, median_seconds, seconds


def measure(seed: int, quick: bool) -> Report:
    """Return wall times of whole `twin demo` processes, each writing to a folder of its own.

    Cold: kernel cache and city cache empty. Warm: a median of runs after it. The seed is the demo's own.
    """
    times = 1 if quick else 3
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "NUMBA_CACHE_DIR": f"{scratch}/kernels", "TWIN_CACHE": f"{scratch}/cities"}
        runs = iter(range(100))

        def demo() -> None:
            out = Path(scratch) / f"run{next(runs)}"
            command = [sys.executable, "-m", "twin", "demo", "--out", str(out)]
            subprocess.run(command, env=environment, check=True, capture_output=True)

        figures = {"cold_s": seconds(demo), "warm_s": median_seconds(demo, times)}
    targets = (Target("cold_s", "<=", 90), Target("warm_s", "<=", 25))
    return Report(figures, targets, {"workers": "default", "replications": 10, "report": "on", "warm_median_of": times})
