"""The manifest of a run, written last: what it was made of, and the files it left."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import DataError
from twin.execution.identity import run_id

if TYPE_CHECKING:
    from twin.city import City
    from twin.scenario import Case

MANIFEST, FIGURES = "manifest.json", "kpis.parquet"


def manifest_of(case: Case, city: City, made_of: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies a run: its case, city, code and libraries, as plain JSON values."""
    return {
        "format": 1,
        "run_id": run_id(made_of),
        "suite": case.suite,
        "arm": case.arm,
        "title": case.title,
        "replication": case.replication,
        "seed": case.seed,
        "start": datetime.fromtimestamp(case.start / 1e6, UTC).isoformat(),
        "duration_us": case.duration,
        "city": {
            "name": city.name,
            "title": city.title,
            "timezone": city.timezone,
            "digest": city.digest,
            "folder": city_folder(city),
        },
        "identity": dict(made_of),
        "case": json.loads(case.to_json()),
    }


def city_folder(city: City) -> str:
    """Return where a suite keeps a copy of the city, relative to the suite's folder."""
    return f"cities/{re.sub(r'[^A-Za-z0-9_.-]', '_', city.name)}-{city.digest[:12]}"


def read_manifest(folder: Path, deep: bool = False) -> dict[str, Any]:
    """Return the manifest of a complete run whose files are all there.

    deep  compare the SHA-256 of every file, not only that of the figures
    Raises DataError that says what is missing or damaged.
    """
    from twin.results.check import check_manifest

    try:
        content = check_manifest(folder / MANIFEST)
    except FileNotFoundError:
        raise DataError(f"{folder} is not complete: it has no manifest") from None
    for name in content["files"]:
        check_file(folder, content, name, deep or name == FIGURES)
    return content


def check_file(folder: Path, manifest: Mapping[str, Any], name: str, deep: bool = True) -> None:
    """Raise DataError when a file of a run is missing, cut short, or (deep) not what the manifest says."""
    path, entry = folder / name, manifest["files"].get(name)
    if entry is None or not path.is_file() or path.stat().st_size != entry["bytes"]:
        raise DataError(f"{path} is missing or cut short")
    if deep and _digest(path) != entry["sha256"]:
        raise DataError(f"{path} is damaged: its SHA-256 is not that of {name} in the manifest")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return path -> bytes and SHA-256 of every Parquet file of a run."""
    files = sorted(folder.rglob("*.parquet"))
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": _digest(path),
        }
        for path in files
    }
