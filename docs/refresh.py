"""Write the figures in README.md anew: the demo's table and what the Python lines print.

    make demo
    .venv/bin/python docs/refresh.py [results/nusantara]

Only the text blocks change, so the difference shows which figures moved.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
SHOWN = (
    "customer_minutes_lost",
    "vehicle_hours",
    "response_mean",
    "late_share",
    "mean_restoration_time",
    "repairs_done",
)


def table_of(folder: str) -> str:
    """Return the demo's verdicts as the command prints them, with a choice of rows."""
    from twin.cli import main as twin

    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        twin(["results", "show", folder])
    printed = told.getvalue()
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    first = next(i for i, line in enumerate(lines) if line.lstrip().startswith("KPI"))
    last = next(i for i, line in enumerate(lines) if "against" in line)
    chosen = [line for line in lines[first + 2 : last] if line.split()[0] in SHOWN]
    rule = re.sub("─+", lambda found: "─" * max(map(len, chosen)), lines[first + 1].strip())
    return "\n".join([lines[0], lines[first].removeprefix(" "), rule, *(row[1:] for row in chosen), *lines[last:]])


def output_of(source: str) -> str:
    """Return what Python lines print."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(source, str(README), "exec"), {})  # noqa: S102
    return told.getvalue().rstrip()


def main() -> None:
    """Replace the first two text blocks of the README."""
    page = README.read_text(encoding="utf-8")
    source = re.search(r"(?s)```python\n(.*?)```", page)
    assert source is not None
    fresh = iter([table_of(sys.argv[1] if len(sys.argv) > 1 else "results/nusantara"), output_of(source[1])])
    page = re.sub(r"(?s)```text\n.*?```", lambda _: f"```text\n{next(fresh)}\n```", page, count=2)
    README.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
