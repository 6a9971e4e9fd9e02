"""Load a city by name or folder, generating and caching embedded ones."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
from pathlib import Path

import numpy as np

from twin.caches import cache_folder
from twin.city.core import City
from twin.city.storage import MANIFEST, load, save
from twin.errors import CityError

GENERATORS = {"nusantara": "twin.city.nusantara", "jemss": "twin.models.emergency.jemss_city"}
"""Modules that make a city of a file, by what the file calls them; imported when asked for."""


def load_city(name_or_path: str | Path = "nusantara", scale: float = 1, seed: int | None = None) -> City:
    """Return an embedded city by name, or a built city by folder.

    scale  size of a generated city: 1 is about 2,500 links; counts and area grow with it
    seed   seed of a generated city; None takes the one in its file
    Raises CityError for an unknown name (naming the nearest) and for a damaged folder.
    """
    path = Path(name_or_path)
    names = embedded()
    if str(name_or_path) in names:
        return _generated(str(name_or_path), names[str(name_or_path)], scale, seed)
    if path.is_dir():
        if scale != 1 or seed is not None:
            raise CityError(f"{path} is a built city: scale and seed belong to generated cities")
        return load(path)
    if path.is_file():
        raise CityError(f"{path} is a file: build the city first, `twin city build {path}`")
    near = difflib.get_close_matches(str(name_or_path), names, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise CityError(
        f"no city {str(name_or_path)!r}: {hint}give an embedded city ({', '.join(names)}) "
        f"or a folder with {MANIFEST}, made by `twin city build`"
    )


def embedded() -> dict[str, Path]:
    """Return the city files that come with the package, by name."""
    folder = Path(__file__).parent.parent / "scenarios" / "cities"
    if not folder.is_dir():
        folder = Path(__file__).parent.parent.parent / "scenarios" / "cities"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _generated(name: str, path: Path, scale: float, seed: int | None) -> City:
    """Return a generated city from the cache, or make it and try to keep it there."""
    generator = _generator(path)
    folder = cache_folder("cities") / f"{name}-{scale:g}-{_inputs_digest(path, scale, seed, generator)[:20]}"
    if (folder / MANIFEST).exists():
        try:
            return load(folder)
        except CityError:
            pass
    city: City = importlib.import_module(generator).generate(path, scale=scale, seed=seed)
    with contextlib.suppress(OSError):
        save(city, folder)
    return city


def _generator(path: Path) -> str:
    """Return the module that makes a city of its file, told by its line `generator`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("generator:")), "nusantara")
    if name not in GENERATORS:
        raise CityError(f"{path}: no generator is named {name!r}; there are {', '.join(GENERATORS)}")
    return GENERATORS[name]


def _inputs_digest(path: Path, scale: float, seed: int | None, generator: str) -> str:
    """Identify all that the generated city depends on: its file, the code, numpy, options, data it is made of."""
    total = hashlib.sha256(f"{scale!r} {seed!r} numpy {np.__version__}".encode())
    files = [path, *sorted(Path(__file__).parent.glob("*.py"))]
    if generator != GENERATORS["nusantara"]:
        made = importlib.import_module(generator)
        files += [Path(str(made.__file__)), *made.inputs()]
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()
