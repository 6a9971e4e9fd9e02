"""Build a city from a map or network file, chosen by the file's suffix."""

from __future__ import annotations

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
    path = Path(path)
    if not path.is_file():
        raise CityError(f"{path}: no such file; give an OpenStreetMap extract or a TNTP network")
    if path.stat().st_size == 0:
        raise CityError(f"{path}: the file is empty; fetch it again")
    city = _read(path, counts, options)
    if counts is not None and path.name.lower().endswith(OSM_SUFFIXES):
        city = _fitted(city, Path(counts))
    if out is not None:
        city.save(out)
    return city


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


def _read(path: Path, counts: str | Path | None, options: dict[str, Any]) -> City:
    """Call the importer that knows the suffix."""
    name = path.name.lower()
    try:
        if name.endswith(OSM_SUFFIXES):
            from twin.city.osm import build_osm

            return build_osm(path, counts=counts, **options)
        if name.endswith(TNTP_SUFFIX):
            from twin.city.tntp import build_tntp

            return build_tntp(path, counts=counts, **options)
    except TypeError as error:
        if "unexpected keyword" in str(error):
            raise CityError(f"{path}: {error}") from None
        raise
    known = ", ".join((*OSM_SUFFIXES, TNTP_SUFFIX))
    raise CityError(f"{path}: unknown kind of file; names must end in one of {known}")
