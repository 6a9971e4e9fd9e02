"""How long the command line and the import take, and what they load."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks.report import Report, Target, seconds

_HEAVY = ("numba", "mesa", "geopandas", "matplotlib")
_HELP = [sys.executable, "-c", "import sys; sys.argv = ['twin', '--help']; from twin.cli import main; main()"]
_IMPORT = [sys.executable, "-c", "import twin"]
_LOADED = "import sys, twin; import twin.cli; print(sum(m in sys.modules for m in {heavy!r}))"


def measure(seed: int, quick: bool) -> Report:
    """Return medians of whole processes, disk warm; the first call warms it and is not counted."""
    times = 3 if quick else 5
    figures = {"help_s": _median(_HELP, times), "import_s": _median(_IMPORT, times)}
    out = subprocess.run(
        [sys.executable, "-c", _LOADED.format(heavy=_HEAVY)], capture_output=True, text=True, check=True
    )
    figures["heavy_modules"] = float(out.stdout.strip())
    targets = (Target("help_s", "<", 0.5), Target("import_s", "<", 1.0), Target("heavy_modules", "==", 0))
    return Report(figures, targets, {"median_of": times, "process": "whole, interpreter included"})


def _median(command: list[str], times: int) -> float:
    def work() -> None:
        subprocess.run(command, capture_output=True, check=True)

    work()
    return statistics.median(seconds(work) for _ in range(times))
