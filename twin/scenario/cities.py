"""Read which city a scenario means, and load it once per process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import data
from twin.scenario import keys
from twin.scenario.importing import PATHS, read_settings
from twin.scenario.paths import read_path
from twin.scenario.problems import Mark, Problems
from twin.scenario.tree import Node
from twin.scenario.values import read_checked

if TYPE_CHECKING:
    from twin.city import City

_FITTING = ("models/demand.py", "models/estimation/*.py", "models/traffic/*.py", "kernels/*.py")
"""Code besides the importer's that a city fitted to counts depends on."""

_FILES = ("folder", "osm", "tntp", "counts")
_BESIDE = {"scale": ("name",), "counts": ("osm", "tntp"), "options": ("osm", "tntp")}
"""Keys that act only beside some sources."""


def read_city(node: Node, folder: Path, problems: Problems) -> dict[str, Any] | None:
    """Return the city as plain data, None after noting a problem.

    folder  folder of the case; relative paths of other files are rewritten for it
    """
    if not keys.check_keys(node, keys.CITY, "city", problems):
        return None
    chosen = [key for key in keys.SOURCES if node.get(key) is not None]
    if len(chosen) != 1:
        problems.add(node.mark, "E111", "city needs exactly one of its sources", keys.SOURCES)
        return None
    spec: dict[str, Any] = {}
    for key, entry in node.items():
        if chosen[0] not in _BESIDE.get(key, chosen):
            _refuse(node, key, chosen[0], problems)
            spec[key] = None
        elif key == "scale":
            spec[key] = read_checked(entry, keys.SCALE, problems)
        elif key == "options":
            spec[key] = read_settings(entry, chosen[0], folder, problems)
        elif key in _FILES:
            spec[key] = read_path(entry, key, folder, problems)
        elif key == "name":
            spec[key] = _embedded(entry, problems)
    return None if None in spec.values() else spec


def _refuse(node: Node, key: str, source: str, problems: Problems) -> None:
    """Note a key that has no effect beside the source of the city."""
    fitting = [source, *(name for name, sources in _BESIDE.items() if source in sources)]
    text = f"{key} has no effect beside {source}; it belongs beside {' or '.join(_BESIDE[key])}"
    problems.add(node.key_mark(key), "E110", text, fitting)


def load_city_of(spec: Mapping[str, Any], folder: str, mark: Mark, problems: Problems) -> City | None:
    """Load a city, or note why it cannot be loaded; of one from a folder also all that is wrong in it."""
    try:
        city = load_spec(spec, folder)
        faults = _faults(city) if "folder" in spec else ()
    except (ValueError, OSError) as error:
        problems.add(mark, "E130", f"the city cannot be loaded: {error}")
        return None
    for fault in faults:
        problems.add(mark, "E130", f"city {city.name}: {fault}", then=f"twin city show {spec['folder']}")
    return None if faults else city


@lru_cache(maxsize=4)
def _faults(city: City) -> tuple[str, ...]:
    from twin.city.checks import faults

    return tuple(faults(city))


def load_spec(spec: Mapping[str, Any], folder: str) -> City:
    """Load the city that plain data describe; the last four are kept in memory.

    Raises CityError (a ValueError) when a file or folder is not a usable city.
    """
    stamps = []
    settings = spec.get("options", {})
    named = {key: spec[key] for key in _FILES if key in spec} | {key: settings[key] for key in PATHS if key in settings}
    for key, text in named.items():
        found = data.find(str(text), folder).resolve()
        stamps.append((key, str(found), found.stat().st_mtime_ns if found.exists() else 0))
    return _loaded(json.dumps(dict(spec), sort_keys=True), tuple(stamps))


@lru_cache(maxsize=4)
def _loaded(text: str, stamps: tuple[tuple[str, str, int], ...]) -> City:
    from twin.city import City, load_city

    spec = json.loads(text)
    files = {key: Path(found) for key, found, _ in stamps}
    if "name" in spec:
        return load_city(spec["name"], scale=spec.get("scale", 1))
    if "folder" in spec:
        return City.load(files["folder"])
    return _built(files, spec.get("options", {}))


def _built(files: Mapping[str, Path], options: Mapping[str, Any]) -> City:
    """Build a city from an extract or a network, or take it from the disk cache."""
    from twin.caches import cache_folder
    from twin.city import City
    from twin.city.build import import_city

    source = files.get("osm") or files["tntp"]
    folder = cache_folder("cities") / f"{source.name.partition('.')[0]}-{_inputs(files, options)[:20]}"
    if folder.exists():
        with suppress(ValueError):
            return City.load(folder)
    settings = {**options, **{key: files[key] for key in PATHS if key in files}}
    city = import_city(source, settings, files.get("counts"))
    with suppress(OSError):
        city.save(folder)
    return city


def _inputs(files: Mapping[str, Path], options: Mapping[str, Any]) -> str:
    """Identify all a built city depends on: its files, the importer's code, its settings."""
    import twin.city

    folder = Path(str(twin.city.__file__)).parent
    code = sorted(folder.glob("*.py")) + sorted((folder.parent / "scenarios" / "imports").glob("*.yaml"))
    if "counts" in files:
        code += sorted(path for part in _FITTING for path in folder.parent.glob(part))
    total = hashlib.sha256(json.dumps(dict(options), sort_keys=True).encode())
    for key, path in sorted(files.items()):
        total.update(f"{key} {path}\0".encode() + path.read_bytes())
    for path in code:
        total.update(path.read_bytes())
    return total.hexdigest()


def _embedded(node: Node, problems: Problems) -> str | None:
    from twin.city.loading import embedded

    names = tuple(embedded())
    if not node.is_scalar or node.value in names:
        return str(node.value) if node.is_scalar else None
    problems.add(node.mark, "E130", f"no city is named {node.value!r}", names, str(node.value))
    return None
