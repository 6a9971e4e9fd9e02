"""Write a city to a folder and read it back, without pickle."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from twin.city.core import City
from twin.city.table import Column
from twin.errors import CityError

FORMAT = 1
MANIFEST = "city.json"


def save(city: City, folder: Path) -> Path:
    """Write the manifest and one .npz per table, first beside the folder, then renamed.

    Raises CityError when the folder exists and is not a city.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise CityError(f"{folder} exists and is not a city; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, table in city.tables.items():
            columns: dict[str, Any] = dict(table)
            np.savez(draft / f"{name}.npz", **columns)
        manifest = {"format": FORMAT, "digest": city.digest, "tables": list(city.tables), **city.header()}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
        _swap(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _swap(draft: Path, folder: Path) -> None:
    """Move the finished draft into place; what was there goes away last."""
    draft.chmod(0o755)
    if not folder.exists():
        os.rename(draft, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    os.rename(folder, old / "city")
    os.rename(draft, folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path) -> City:
    """Read a city and check its digest.

    Raises CityError when the manifest or a table is missing, damaged or altered.
    """
    manifest = _manifest(folder)
    try:
        tables = {name: _table(folder / f"{name}.npz") for name in manifest.pop("tables")}
        digest = manifest.pop("digest")
        city = City(tables=tables, **manifest)
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, RecursionError) as error:
        raise CityError(f"{folder} is a damaged city: {error}; build it again") from error
    if city.digest != digest:
        raise CityError(f"{folder} was altered after it was written (digest differs); build it again")
    return city


def name_in(folder: Path) -> str:
    """Return the name of the city in a folder, "" when its manifest cannot be read."""
    try:
        return str(_manifest(folder).get("name", ""))
    except CityError:
        return ""


def _manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a city folder."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CityError(f"{folder} holds no city: {MANIFEST} is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CityError(f"{path} cannot be read: {error}") from None
    if not isinstance(manifest, dict) or manifest.pop("format", None) != FORMAT:
        raise CityError(f"{path} is not a city of format {FORMAT}; build it again")
    return manifest


def _table(path: Path) -> dict[str, Column]:
    """Read the columns of one table."""
    with np.load(path, allow_pickle=False) as columns:
        return {name: columns[name] for name in columns.files}
