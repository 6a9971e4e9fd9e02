"""Build a city from a map or network file, chosen by the file's suffix."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from twin.city.core import City
from twin.errors import CityError

OSM_SUFFIXES = (".osm.pbf", ".osm", ".osm.gz")
TNTP_SUFFIX = "_net.tntp"
GRID_SUFFIXES = (".json", ".m")
WATER_SUFFIX = ".inp"


def build_city(
    path: str | Path, counts: str | Path | None = None, out: str | Path | None = None, **options: Any
) -> City:
    """Read an OpenStreetMap extract, a TNTP network, a power grid or a water network and return the city.

    counts   CSV of traffic counts that belongs to the city: its demand is fitted to them, and
             `report["calibration"]` says how well; only for extracts
    out      folder to save the city to; written only when the whole import succeeded
    options  passed to `build_osm`, `build_tntp` or `build_grid` of twin.city, or to the water model's `read`
    Raises CityError with the file, what is wrong with it and what to do.
    """
    city = import_city(path, options, counts)
    if out is not None:
        city.save(out)
    return city


def import_city(path: str | Path, settings: Mapping[str, Any], counts: str | Path | None = None) -> City:
    """Return the city of an extract or a network; nothing is written.

    settings  option of the importer -> value
    Raises CityError as `build_city` does, and for a setting the importer lacks.
    """
    path = Path(path)
    if not path.is_file():
        raise CityError(f"{path}: no such file; give an OpenStreetMap extract or a network")
    if path.stat().st_size == 0:
        raise CityError(f"{path}: the file is empty; fetch it again")
    city = _read(path, counts, settings)
    if counts is not None and path.name.lower().endswith(OSM_SUFFIXES):
        city = _fitted(city, Path(counts))
    return city


def setting_names(path: str | Path) -> tuple[str, ...]:
    """Return the options of the importer that reads a file, none for a file that no importer reads."""
    kind = _option_class(Path(path))
    return () if kind is None else tuple(field.name for field in fields(kind))


def _fitted(city: City, counts: Path) -> City:
    """Return the city with demand fitted to counts, by the model that knows how."""
    from twin import registry
    from twin.errors import DataError

    estimation: Any = registry.get("model", "estimation")
    try:
        fitted: City = estimation.fit(city, counts)
    except DataError as error:
        raise CityError(f"{city.name} cannot be fitted to its counts: {error}") from None
    return fitted


def _read(path: Path, counts: str | Path | None, options: Mapping[str, Any]) -> City:
    """Call the importer that knows the suffix."""
    kind = _option_class(path)
    if kind is None:
        known = ", ".join((*OSM_SUFFIXES, TNTP_SUFFIX, *GRID_SUFFIXES, WATER_SUFFIX))
        raise CityError(f"{path}: unknown kind of file; names must end in one of {known}")
    if path.name.lower().endswith(TNTP_SUFFIX):
        from twin.city.tntp import build_tntp

        return build_tntp(path, counts=counts, **_checked(path, options, kind))
    if path.name.lower().endswith(GRID_SUFFIXES):
        from twin.city.grids import build_grid

        return build_grid(path, **_checked(path, options, kind))
    if path.name.lower().endswith(WATER_SUFFIX):
        return _water(path, _checked(path, options, kind))
    from twin.city.osm import build_osm

    return build_osm(path, counts=counts, **_checked(path, options, kind))


def _water(path: Path, options: Mapping[str, Any]) -> City:
    """Return the city of an EPANET file, read by the model that knows how."""
    from twin import registry

    water: Any = registry.get("model", "water")
    city: City = water.read(path, **options)
    return city


def _option_class(path: Path) -> type[Any] | None:
    """Return the options of the importer that knows the suffix."""
    from twin.city.grids import GridOptions
    from twin.city.osm import OsmOptions
    from twin.city.tntp import TntpOptions

    name = path.name.lower()
    if name.endswith(OSM_SUFFIXES):
        return OsmOptions
    if name.endswith((*GRID_SUFFIXES, WATER_SUFFIX)):
        return GridOptions
    return TntpOptions if name.endswith(TNTP_SUFFIX) else None


def _checked(path: Path, options: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return the options of an importer, text where it wants text.

    Raises CityError that names every option that is not known, or is no number where one is wanted.
    """
    wanted = {field.name: str(field.type) for field in fields(kind)}
    problems = [_unknown(name, wanted) for name in options if name not in wanted]
    values = {}
    for name, value in options.items():
        type_name = wanted.get(name, "")
        values[name] = str(value) if type_name.startswith("str") and value is not None else value
        number = isinstance(value, Integral if type_name.startswith("int") else Real) and not isinstance(value, bool)
        if type_name.startswith(("int", "float")) and value is not None and not number:
            problems.append(f"option {name} ({value!r}) must be a {'whole ' * type_name.startswith('int')}number")
    if problems:
        raise CityError(f"{path}: {'; '.join(problems)}")
    return values


def _unknown(name: str, known: dict[str, str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; nearest: {near[0]}" if near else ""
    return f"no option is named {name!r}; allowed: {', '.join(known)}{hint}"
