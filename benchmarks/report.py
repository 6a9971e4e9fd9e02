"""What a benchmark returns, and how it is printed."""

from __future__ import annotations

import json
import operator
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_FIGURES = Path(__file__).parents[1] / "results" / "figures"
_COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}


@dataclass(frozen=True)
class Target:
    """A figure and the bound it has to keep."""

    figure: str
    op: str
    value: float


@dataclass(frozen=True)
class Report:
    """Figures of one benchmark, their targets, and what was on and off."""

    figures: dict[str, float]
    targets: tuple[Target, ...] = ()
    setup: dict[str, Any] = field(default_factory=dict)

    def as_dict(self, name: str, seed: int) -> dict[str, Any]:
        """Return the object of the benchmark contract."""
        targets = [
            {
                "figure": t.figure,
                "op": t.op,
                "value": t.value,
                "met": t.figure in self.figures and bool(_COMPARE[t.op](self.figures[t.figure], t.value)),
            }
            for t in self.targets
        ]
        setup = {"python": platform.python_version(), "cores": os.cpu_count(), **self.setup}
        return {"name": name, "seed": seed, "figures": self.figures, "targets": targets, "setup": setup}


def show(result: dict[str, Any], as_json: bool) -> None:
    """Print a result as JSON or as tables for people."""
    if as_json:
        print(json.dumps(result, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    met = {t["figure"]: t for t in result["targets"]}
    table = Table("figure", "value", "target", "met", title=f"{result['name']} (seed {result['seed']})")
    for figure, value in result["figures"].items():
        target = met.get(figure)
        bound = f"{target['op']} {target['value']:g}" if target else ""
        table.add_row(figure, f"{value:.6g}", bound, ("yes" if target["met"] else "no") if target else "")
    console = Console()
    console.print(table)
    console.print(", ".join(f"{k}: {v}" for k, v in result["setup"].items()))


def store(result: dict[str, Any], quick: bool) -> Path:
    """Keep a result in results/figures, with the hour, the machine and the version of the code; return the file."""
    from twin.execution.identity import code_digest

    kept = {
        **result,
        "quick": quick,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.platform(),
        "code": code_digest()[:20],
    }
    target = _FIGURES / f"{result['name']}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return target


def seconds(work: Callable[[], Any]) -> float:
    """Return the wall time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def median_seconds(work: Callable[[], Any], times: int) -> float:
    """Return the median wall time of several calls."""
    return statistics.median(seconds(work) for _ in range(times))
