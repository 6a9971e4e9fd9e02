"""Draw how the procedures of the command centre went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin import plot
from twin.plot.series import WIDTH
from twin.report.pictures import Picture

if TYPE_CHECKING:
    from twin.report.data import Report

_COLUMNS = (
    "number", "procedure", "stage", "role", "escalated", "told_time", "acknowledged_time", "done_time",
)  # fmt: skip


def timelines(report: Report) -> list[Picture]:
    """Draw the stages of every procedure in the first replication of each arm; nothing where none began."""
    found = ((arm, _table(report, arm)) for arm in report.shown)
    return [_timeline(report, arm, table) for arm, table in found if table is not None and len(table["number"])]


def _timeline(report: Report, arm: str, table: dict[str, Any]) -> Picture:
    from twin.plot.procedures import procedure_timeline

    stages, runs = len(table["number"]), len(set(table["number"].tolist()))
    with plot.style():
        made, ax = plot.figure(WIDTH, 1.8 + 0.3 * stages + 0.3 * runs)
        shown = f"{arm}, replication {report.runs[arm][0].replication}"
        procedure_timeline(table, ax, plot.Caption(report.title, shown, report.period()), report.moment)
        content = plot.png(made)
    handed = int(np.asarray(table["escalated"]).sum())
    waited = (table["acknowledged_time"] - table["told_time"])[table["acknowledged_time"] >= 0] / 60e6
    longest = f"; the longest wait for acknowledgement was {waited.max():.1f} min" if waited.size else ""
    caption = (
        f"Procedures in {arm} (replication {report.runs[arm][0].replication}): {stages} stages, "
        f"{handed} handed to a higher role{longest}."
    )
    return Picture(f"procedures_{arm}", content, caption, f"Timeline. {caption}")


def _table(report: Report, arm: str) -> dict[str, Any] | None:
    """Return the timeline of the first replication of an arm, None without procedures."""
    import pyarrow.parquet

    path = report.runs[arm][0].folder / "procedures" / "timeline.parquet"
    if not path.is_file():
        return None
    table = pyarrow.parquet.read_table(path, columns=list(_COLUMNS))
    return {name: table[name].to_numpy(zero_copy_only=False) for name in _COLUMNS}
