"""Find run folders and say of each what became of it; nothing that is broken raises."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import Any

from twin.errors import DataError
from twin.execution.manifest import MANIFEST, read_manifest
from twin.execution.run import CASE, COMPLETE, FAILED, FAILURE, INTERRUPTED, SNAPSHOT, WAITING

SUITE = "suite.json"
BROKEN, INCOMPLETE, EARLIER = "broken", "incomplete", "earlier"
_DEPTH = 4
_MARKS = (MANIFEST, FAILURE, CASE)


@dataclass(frozen=True)
class Run:
    """One run folder.

    status   "complete", "failed", "interrupted" (has a snapshot), "incomplete", "broken" or
             "earlier" (the suite was run again since with other settings or code) or
             "waiting" (the suite lists it, and it has not begun)
    message  why it is not complete, or ""
    """

    folder: Path
    status: str
    suite: str = ""
    arm: str = ""
    replication: int = -1
    seed: int = -1
    run_id: str = ""
    message: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Tell whether the run has all its results."""
        return self.status == COMPLETE


def figures_of(run: Run) -> dict[str, float]:
    """Return KPI -> value of a complete run, nan where it had none."""
    return {name: math.nan if value is None else float(value) for name, value in run.manifest["kpis"].items()}


def find_runs(folder: Path, suite: Mapping[str, Any] | None = None) -> list[Run]:
    """Return every run at or below a folder, by suite, arm and replication.

    suite  what the folder's suite file says; default: it is read, and a damaged one says nothing
    """
    found = [_read_run(place) for place in _run_folders(folder)]
    own = _said(folder) if suite is None else suite
    return sorted([*_mark_earlier(found, folder, own), *_not_begun(found, folder, own)], key=_place_of)


def read_suite(folder: Path) -> dict[str, Any] | None:
    """Return what the suite file in a folder says, None when there is none.

    Raises DataError that says what is wrong with it.
    """
    from twin.results.check import check_suite

    try:
        return check_suite(folder / SUITE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except DataError as error:
        raise DataError(f"{error}; delete it and run the scenario again") from error


def suite_of(run: Path) -> Mapping[str, Any]:
    """Return what a suite's file above a run says, empty when there is none; DataError when it is damaged."""
    for folder in (run, *run.resolve().parents[:2]):
        found = read_suite(folder)
        if found is not None:
            return found
    return {}


def _said(folder: Path) -> Mapping[str, Any]:
    """Return what a suite file says, nothing when it is damaged: listing goes on without it."""
    try:
        return read_suite(folder) or {}
    except DataError:
        return {}


def _place_of(run: Run) -> tuple[str, str, int, str]:
    return run.suite, run.arm, run.replication, str(run.folder)


def _run_folders(folder: Path, depth: int = _DEPTH) -> Iterable[Path]:
    """Find folders that hold a run, at most four levels down; links are not followed."""
    if any((folder / mark).is_file() for mark in _MARKS):
        yield folder
    elif depth:
        try:
            below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
        except OSError:
            return
        for child in below:
            yield from _run_folders(child, depth - 1)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _read_run(folder: Path) -> Run:
    """Read what a run folder says about itself; anything unreadable makes it broken."""
    if not (folder / MANIFEST).is_file():
        return _unfinished(folder)
    try:
        manifest = read_manifest(folder)
        places = (manifest["suite"], manifest["arm"], manifest["replication"], manifest["seed"])
        return Run(folder, COMPLETE, *places, manifest["run_id"], "", manifest)
    except (DataError, OSError) as error:
        message = f"{error}; mend it with: twin resume {quote(str(folder))}"
        return Run(folder, BROKEN, folder.parent.parent.name, folder.parent.name, run_id=folder.name, message=message)


def _unfinished(folder: Path) -> Run:
    failure = _read_json(folder / FAILURE)
    case = _read_json(folder / CASE) or {}
    status, message = INCOMPLETE, f"not finished; go on with: twin resume {quote(str(folder))}"
    if failure is not None:
        status, message = FAILED, f"{failure.get('stage')}: {failure.get('message')}"
    elif (folder / SNAPSHOT).is_file():
        status = INTERRUPTED
    suite, arm = case.get("suite", folder.parent.parent.name), case.get("arm", folder.parent.name)
    return Run(
        folder,
        status,
        str(suite),
        str(arm),
        _whole(case.get("replication")),
        _whole(case.get("seed")),
        folder.name,
        message,
    )


def _mark_earlier(runs: list[Run], opened: Path, own: Mapping[str, Any]) -> list[Run]:
    """Set aside runs that their suite no longer lists, unless one was opened by itself."""
    listed = {opened: {entry["run_id"] for entry in own.get("runs", ())}}
    for run in runs:
        suite = run.folder.parent.parent
        if suite not in listed:
            listed[suite] = {entry["run_id"] for entry in _said(suite).get("runs", ())}
    return [_aside(run) if run.folder != opened and _outdated(run, listed) else run for run in runs]


def _not_begun(runs: list[Run], opened: Path, own: Mapping[str, Any]) -> list[Run]:
    """Return the runs that an opened suite lists and that have no folder yet."""
    begun = {run.run_id for run in runs}
    message = f"not begun; go on with: twin resume {quote(str(opened))}"
    return [
        Run(opened / entry["arm"] / entry["run_id"], WAITING, str(own.get("suite", "")), entry["arm"],
            entry["replication"], run_id=entry["run_id"], message=message)
        for entry in own.get("runs", ())
        if entry["run_id"] not in begun
    ]  # fmt: skip


def _outdated(run: Run, listed: Mapping[Path, set[str]]) -> bool:
    known = listed[run.folder.parent.parent]
    return bool(known) and run.run_id not in known


def _aside(run: Run) -> Run:
    return replace(run, status=EARLIER, message="the suite was run again since")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else -1
