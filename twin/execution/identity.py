"""Name a run by all that its figures depend on: case, city, data, code, kernels, libraries."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.city import City
    from twin.contract import Component
    from twin.scenario import Case

LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "simpy", "mesa", "networkx", "power-grid-model", "owa-epanet")
"""Libraries whose version can change a figure."""

_OUTSIDE = (
    "cli",
    "plot",
    "report",
    "results",
    "runs",
    "suite",
    "stats",
    "export",
    "execute",
    "executors",
    "board",
    "durable",
    "housekeeping",
    "why",
    "data",
    "download",
)
"""Modules that only show, compare or hand out what runs made: a new map colour makes no new run."""


def run_id(made_of: Mapping[str, Any]) -> str:
    """Return the 20 hex digits that name a run by its `identity`; equal names mean equal figures."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:20]


def identity(case: Case, city: City) -> dict[str, Any]:
    """Return what the name of a run is made of, as plain JSON values."""
    return {
        "case": case.digest,
        "data": case.data_digest(),
        "city": city.digest,
        "code": code_digest(),
        "own_code": _own_code(case),
        "libraries": libraries(),
    }


@cache
def libraries() -> dict[str, str]:
    """Return Python's and the libraries' versions; "" for one that is not installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


@cache
def code_digest() -> str:
    """Return a SHA-256 over the sources of the engine, the models and the kernels."""
    import twin

    total = hashlib.sha256()
    for name, path in sorted(_sources([Path(folder) for folder in twin.__path__]).items()):
        total.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _own_code(case: Case) -> dict[str, str]:
    """Return a SHA-256 per component that is not the twin's: of its file, or its own text in a notebook."""
    from twin import registry

    named = [("model", name) for name in case.models] + [("feed", name) for name, _ in case.feeds]
    named += [("policy", name) for name in case.policies.values()]
    for plugin in case.plugins:
        registry.use_plugin(plugin)
    found = [registry.get(kind, name) for kind, name in named]
    return {c.name: hashlib.sha256(_text_of(c)).hexdigest() for c in found if not c.__module__.startswith("twin.")}


def _text_of(component: type[Component]) -> bytes:
    path = getattr(sys.modules.get(component.__module__), "__file__", None)
    if path and Path(path).is_file():
        return Path(path).read_bytes()
    try:
        return inspect.getsource(component).encode()
    except (OSError, TypeError):
        import cloudpickle

        return bytes(cloudpickle.dumps(component))


def _sources(roots: list[Path]) -> dict[str, Path]:
    """Return name -> file of every module that can change a figure, each once."""
    found: dict[str, Path] = {}
    for root in roots:
        parts = [root] if root.name == "twin" else [root / "models", root / "kernels"]
        for part in parts:
            for path in _python_files(part):
                relative = path.relative_to(root)
                if relative.parts[0].removesuffix(".py").partition("_")[0] not in _OUTSIDE:
                    found.setdefault(relative.as_posix(), path)
    return found


def _python_files(folder: Path) -> list[Path]:
    """List Python files below a folder, through the symlinks of a checkout."""
    files: list[Path] = []
    if not folder.is_dir():
        return files
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name != "__pycache__":
            files += _python_files(entry)
        elif entry.suffix == ".py":
            files.append(entry)
    return files
