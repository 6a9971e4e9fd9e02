"""Read paths that stand in a scenario."""

from __future__ import annotations

import os
from pathlib import Path

from twin import data
from twin.errors import DataError
from twin.scenario.problems import Problems
from twin.scenario.tree import Node


def read_path(node: Node, name: str, folder: Path, problems: Problems) -> str | None:
    """Return a path that exists, relative to `folder` where it was relative; None after a problem."""
    if not node.is_scalar:
        return None
    if not isinstance(node.value, str) or not node.value:
        problems.add(node.mark, "E120", f"{name} takes a path")
        return None
    text, own = node.value, Path(node.mark.file).parent
    try:
        found = data.find(text, own)
    except DataError as error:
        problems.add(node.mark, "E100", f"{name}: {error}")
        return None
    if not found.exists():
        dataset = data.dataset_of(text)
        then = f"twin data get {dataset}" if dataset else ""
        problems.add(node.mark, "E100", f"{name}: {text} does not exist", _beside(found), found.name, then)
        return None
    return Path(os.path.relpath(found, folder)).as_posix() if data.is_relative(text) and own != folder else text


def _beside(path: Path) -> list[str]:
    """Return what lies where a path leads and ends as it does; folders for one without an ending."""
    found = path.parent.iterdir() if path.parent.is_dir() else ()
    return sorted(file.name for file in found if (file.suffix == path.suffix if path.suffix else file.is_dir()))
