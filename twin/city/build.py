"""Build a city from a map or network file, chosen by the file's suffix."""

from __future__ import annotations

import difflib
from dataclasses import fields
from numbers import Integral, Real
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from twin.city.core import City
from twin.errors import CityError

OSM_SUFFIXES = (".osm.pbf", ".osm", ".osm.gz")
TNTP_SUFFIX = "_net.tntp"


def build_city(
    path: str | Path, counts: str | Path | None = None, out: str | Path | None = None, **options: Any
) -> City:
    """Read an OpenStreetMap extract or a TNTP network and return the city.

    counts   CSV of traffic counts that belongs to the city: its demand is fitted to them, and
             `report["calibration"]` says how well; only for extracts
    out      folder to save the city to; written only when the whole import succeeded
    options  passed to `twin.city.osm.build_osm` or `twin.city.tntp.build_tntp`
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
        raise CityError(f"{path}: no such file; give an OpenStreetMap extract or a TNTP network")
    if path.stat().st_size == 0:
        raise CityError(f"{path}: the file is empty; fetch it again")
    city = _read(path, counts, settings)
    if counts is not None and path.name.lower().endswith(OSM_SUFFIXES):
        city = _fitted(city, Path(counts))
    return city


def setting_names(path: str | Path) -> tuple[str, ...]:
    """Return the options of the importer that reads a file, none for a file that no importer reads."""
    from twin.city.osm import OsmOptions
    from twin.city.tntp import TntpOptions

    name = Path(path).name.lower()
    if name.endswith(OSM_SUFFIXES):
        return tuple(field.name for field in fields(OsmOptions))
    return tuple(field.name for field in fields(TntpOptions)) if name.endswith(TNTP_SUFFIX) else ()


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


def _read(path: Path, counts: str | Path | None, settings: Mapping[str, Any]) -> City:
    """Call the importer that knows the suffix."""
    known = setting_names(path)
    if not known:
        suffixes = ", ".join((*OSM_SUFFIXES, TNTP_SUFFIX))
        raise CityError(f"{path}: unknown kind of file; names must end in one of {suffixes}")
    _refuse_unknown(path, settings, known)
    if path.name.lower().endswith(TNTP_SUFFIX):
        from twin.city.tntp import build_tntp

        return build_tntp(path, counts=counts, **settings)
    from twin.city.osm import build_osm

    return build_osm(path, counts=counts, **settings)


def _refuse_unknown(path: Path, settings: Iterable[str], known: tuple[str, ...]) -> None:
    """Raise CityError for a setting the importer lacks, with those it has and the nearest."""
    for name in settings:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CityError(f"{path}: the importer has no option {name!r} (it has {', '.join(known)}){hint}")
