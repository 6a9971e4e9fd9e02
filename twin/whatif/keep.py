"""Keep a what-if on disk: branches and verdicts as Parquet, what was asked as JSON, the ranking as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.durable import sync_below

if TYPE_CHECKING:
    from twin.whatif.result import WhatIf

BRANCHES, VERDICTS, ASKED, PICTURE = "branches.parquet", "verdicts.parquet", "whatif.json", "ranking.png"


def keep(found: WhatIf, folder: Path, origin: dict[str, Any]) -> list[Path]:
    """Write a what-if to a folder; return the files.

    origin  what it branched from: run, seed, identity
    """
    from twin.durable import write_whole
    from twin.execution.output import write_json, write_table

    for name, frame in ((BRANCHES, found.frame()), (VERDICTS, found.table())):
        write_table(folder / name, {column: frame[column].to_numpy() for column in frame.columns})
    sync_below(folder, "*.parquet")
    write_json(
        folder / ASKED,
        {
            "origin": origin,
            "at_us": found.at,
            "local": found.local,
            "horizon_us": found.horizon,
            "policies": list(found.choices),
            "frozen": list(found.frozen),
            "compiled": list(found.compiled),
            "by": found.by,
            "branches": len(found.branches),
            "broken_off": found.broken_off,
            "failed": [{"policy": b.policy, "replication": b.replication, "why": b.message} for b in found.failed],
        },
    )
    picture = _picture(found)
    write_whole(folder / PICTURE, lambda file: file.write(picture))
    return [folder / name for name in (BRANCHES, VERDICTS, ASKED, PICTURE)]


def _picture(found: WhatIf) -> bytes:
    from twin.plot import figure, png, style

    with style():
        made, ax = figure(10.0, 2.3 + 0.42 * len(found.choices))
        found.plot(ax)
        return png(made)
