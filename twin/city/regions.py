"""Find driving side, time zone and metre grid of a place on Earth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.errors import CityError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Region:
    """State how a place drives and keeps time."""

    driving_side: str
    timezone: str
    motorcycles: bool
    source: str


def find_region(lon: float, lat: float, table: Path, driving_side: str | None, timezone: str | None) -> Region:
    """Return the region of a place; given options win over the table.

    Raises CityError naming the option to pass where the table knows nothing or disagrees, and
    for a driving side or a time zone that does not exist.
    """
    import yaml

    regions = yaml.safe_load(table.read_text(encoding="utf-8"))
    near = [r for r in regions if r["box"][0] <= lon <= r["box"][2] and r["box"][1] <= lat <= r["box"][3]]
    sides, zones = {r["side"] for r in near}, {r["timezone"] for r in near}
    side = driving_side or _only(sides, "driving_side", ("left", "right"), (lon, lat))
    zone = timezone or _only(zones, "timezone", ("Asia/Jakarta", "Europe/Berlin"), (lon, lat))
    if side not in ("left", "right"):
        raise CityError(f"driving_side must be 'left' or 'right', not {side!r}")
    _check_zone(zone)
    known = ", ".join(str(r["name"]) for r in near) or "no region"
    source = f"region table ({known})" if not (driving_side and timezone) else "given by option"
    return Region(side, zone, any(r.get("motorcycles", False) for r in near), source)


def _only(found: set[str], option: str, examples: tuple[str, str], place: tuple[float, float]) -> str:
    """Return the one value found; otherwise say which option to pass."""
    if len(found) == 1:
        return next(iter(found))
    why = f"regions disagree ({', '.join(sorted(found))})" if found else "the region is not in the table"
    shown = option.replace("_", "-")
    raise CityError(
        f"{option} is unknown at longitude {place[0]:.4f}, latitude {place[1]:.4f}: {why}; "
        f"pass --{shown} {examples[0]} ({option}={examples[0]!r} in Python), or {examples[1]} and the like"
    )


def _check_zone(name: str) -> None:
    """Refuse a time zone that the IANA database does not have."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CityError(f"timezone {name!r} is not in the IANA database; write Asia/Makassar and the like") from None


def utm_grid(lon: float, lat: float) -> int:
    """Return the EPSG number of the UTM zone of a place, WGS 84.

    >>> utm_grid(116.7, -0.97)
    32750
    """
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return (32600 if lat >= 0.0 else 32700) + zone


def on_metre_grid(xy: Floats, crs: int) -> tuple[Floats, int]:
    """Return positions on a metre grid: as they are, or from degrees or feet to their UTM zone."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    try:
        grid = CRS.from_epsg(crs)
    except ProjError:
        raise CityError(f"crs ({crs}) is not an EPSG number") from None
    if grid.is_projected and grid.axis_info[0].unit_name == "metre":
        return xy, crs
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(xy[:, 0], xy[:, 1])
    target = utm_grid(float(np.median(lon)), float(np.median(lat)))
    return np.stack(Transformer.from_crs(4326, target, always_xy=True).transform(lon, lat), axis=1), target
