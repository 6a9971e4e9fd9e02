"""Build a city of a power grid alone from a file of pandapower, power-grid-model or MATPOWER."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.city.core import City
from twin.city.grid_places import lay_out
from twin.city.grid_tables import GridParts, read_text
from twin.errors import CityError


@dataclass(frozen=True)
class GridOptions:
    """State what a file of a power grid or of a water network leaves open.

    crs       EPSG number of x and y, such as 4326 of degrees; None finds degrees of a grid by the lengths of its
              lines, and else keeps places as written
    timezone, driving_side, name, title  of the city
    reactive_limits  1 keeps machines within their limits of reactive power, 0 leaves the limits out, as the
                     power flows of pandapower and MATPOWER do where they are not told otherwise
    """

    crs: int | None = None
    timezone: str = "Etc/UTC"
    driving_side: str = "right"
    name: str | None = None
    title: str | None = None
    reactive_limits: int = 0


def build_grid(path: str | Path, **options: Any) -> City:
    """Return a city with the tables buses, lines, transformers, sources, and generators and machines where there are.

    path  a .json that pandapower or power-grid-model wrote, or a MATPOWER .m file

    Every bus with load is one customer. What the twin has no place for is counted in
    `report["dropped"]`. Raises CityError that names file, part and place of what is wrong: a negative
    load, a bus that does not exist, an island with load and without a source, text that is no grid.
    """
    path, chosen = Path(path), GridOptions(**options)
    parts = read_grid(path)
    if not chosen.reactive_limits:
        parts.unlimited()
    name = chosen.name or path.stem
    source = f"imported from {path.name}"
    tables = parts.tables()
    crs, places = lay_out(tables, chosen.crs)
    dropped = {kind: n for kind, n in sorted(parts.dropped.items()) if n}
    return City(
        name=name,
        title=chosen.title or name,
        driving_side=chosen.driving_side,
        timezone=chosen.timezone,
        crs=crs,
        tables=tables,
        provenance=({"item": "power grid", "value": path.name, "unit": "", "source": source},),
        report={"source": path.name, **({"places": places} if places else {}), "dropped": dropped},
    )


def read_grid(path: Path) -> GridParts:
    """Return the parts of a grid file, its kind found by its content."""
    text = read_text(path)
    if path.suffix.lower() == ".m":
        from twin.city.grid_matpower import read_matpower

        return read_matpower(path, text)
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CityError(f"{path}: is no JSON ({error})") from None
    try:
        if isinstance(content, dict) and content.get("_class") == "pandapowerNet":
            from twin.city.grid_pandapower import read_pandapower

            return read_pandapower(path, content)
        if isinstance(content, dict) and "data" in content and "is_batch" in content:
            from twin.city.grid_pgm import read_pgm

            return read_pgm(path, content)
    except (KeyError, TypeError) as error:
        raise CityError(f"{path}: a part lacks {error}") from None
    raise CityError(f"{path}: neither pandapower nor power-grid-model wrote this JSON")
