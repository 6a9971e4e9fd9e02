"""Run a benchmark: python -m benchmarks NAME [--json] [--seed N] [--quick] [--store]."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from benchmarks.report import show, store

_OWN = {"__main__", "city_pool", "report"}


def names() -> list[str]:
    """List the benchmarks: the modules of this folder that measure something."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(m.name for m in found if not m.ispkg and m.name not in _OWN)


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark and print it; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=names())
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--store", action="store_true", help="keep the figures in results/figures")
    given = parser.parse_args(arguments)
    report = importlib.import_module(f"benchmarks.{given.name}").measure(given.seed, given.quick)
    result = report.as_dict(given.name, given.seed)
    show(result, given.json)
    if given.store:
        store(result, given.quick)
    return 0 if all(t["met"] for t in result["targets"]) else 1


if __name__ == "__main__":
    sys.exit(main())
