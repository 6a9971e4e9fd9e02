"""Read a city file: each value with its unit and source, apart from the values themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twin.errors import CityError

Provenance = list[dict[str, Any]]


def read_city_file(path: Path) -> tuple[dict[str, Any], Provenance]:
    """Return the values of a city file as nested mappings, and one provenance entry per value.

    Raises CityError for a value without unit or source, and for a file that is not YAML.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CityError(f"{path} cannot be read as a city file: {error}") from None
    if not isinstance(content, dict):
        raise CityError(f"{path} holds no mapping; a city file has sections such as place and streets")
    provenance: Provenance = []
    values = {}
    for key, part in content.items():
        values[key] = _strip(str(key), part, provenance) if isinstance(part, dict) else part
    return values, provenance


def _strip(item: str, part: dict[str, Any], provenance: Provenance) -> Any:
    """Return the bare value of a leaf, or the mapping of what is below."""
    if "value" in part:
        missing = {"unit", "source"} - set(part)
        if missing:
            raise CityError(f"{item} lacks {' and '.join(sorted(missing))}: every value states both")
        provenance.append({"item": item, **{key: part[key] for key in ("value", "unit", "source")}})
        return part["value"]
    bare = [key for key, below in part.items() if not isinstance(below, dict)]
    if bare:
        raise CityError(f"{item}.{bare[0]} is a bare value: write {{value, unit, source}}")
    return {key: _strip(f"{item}.{key}", below, provenance) for key, below in part.items()}


def import_file(name: str) -> Path:
    """Return the path of a settings file of the importers, by its stem."""
    here = Path(__file__).parent.parent
    for base in (here, here.parent):
        path = base / "scenarios" / "imports" / f"{name}.yaml"
        if path.is_file():
            return path
    raise CityError(f"settings file scenarios/imports/{name}.yaml is missing from this installation")
