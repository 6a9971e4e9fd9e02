"""One run of a scenario, fully resolved: plain values in SI units, ready for any process."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import DataError

if TYPE_CHECKING:
    from twin.city import City

NAME = re.compile(r"[A-Za-z0-9_]{1,160}")
"""Names of suites and arms: they name folders, so nothing in them leads elsewhere."""


@dataclass(frozen=True)
class ScenarioEvent:
    """One thing the scenario makes happen.

    time     us since the start of the run
    targets  rows of the table that the kind of event names, sorted
    params   parameters in SI units, defaults filled in
    label    "file:line" where it is written
    """

    kind: str
    time: int
    targets: tuple[int, ...]
    params: Mapping[str, Any]
    label: str


@dataclass(frozen=True)
class Case:
    """One run: an arm with one seed.

    start      UTC us since 1970
    duration   us
    feeds      (name, options) of each feed
    policies   role -> policy name
    options    component -> option -> SI value, defaults filled in
    record     {"every": us}, and {"state": true} where the full state is kept
    folder     folder that relative paths are relative to
    files      data files it reads, as written
    plugins    Python files the user named, imported by every process

    Raises DataError when suite or arm cannot name a folder.
    """

    suite: str
    arm: str
    replication: int
    seed: int
    city_spec: Mapping[str, Any]
    start: int
    duration: int
    models: tuple[str, ...]
    feeds: tuple[tuple[str, Mapping[str, Any]], ...]
    policies: Mapping[str, str]
    options: Mapping[str, Mapping[str, Any]]
    events: tuple[ScenarioEvent, ...]
    record: Mapping[str, Any]
    folder: str = "."
    files: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    title: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for what, name in (("suite", self.suite), ("arm", self.arm)):
            if not NAME.fullmatch(name):
                raise DataError(f"{what} ({name!r}) must be a name of letters, digits and _ only")

    @property
    def digest(self) -> str:
        """Identify what runs by a SHA-256 that is the same on every machine.

        Titles, labels and folders do not count; contents of files are in `data_digest`.
        """
        content = asdict(self)
        for key in ("folder", "title", "plugins"):
            del content[key]
        for event in content["events"]:
            del event["label"]
        return hashlib.sha256(_canonical(content).encode()).hexdigest()

    def to_json(self) -> str:
        """Return the case as JSON text."""
        return _canonical(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Case:
        """Return the case that `to_json` wrote.

        Raises DataError that says what is missing, unknown or of the wrong kind.
        """
        from pydantic import TypeAdapter, ValidationError

        try:
            content = json.loads(text)
            unknown = sorted(set(content) - cls.__dataclass_fields__.keys())
            if unknown:
                raise DataError(f"unknown key {unknown[0]!r}")
            return TypeAdapter(cls).validate_json(text, strict=True)
        except ValidationError as error:
            raise DataError(told(error)) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"not a case: {error}") from error

    def city(self) -> City:
        """Load the city, from the cache of this process or of the disk where it can.

        Raises CityError when it cannot be loaded, DataError when the case does not say which it is.
        """
        from twin.scenario.cities import load_spec

        try:
            return load_spec(self.city_spec, self.folder)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"the case does not say which city it is on: {dict(self.city_spec)}") from error

    def data_digest(self) -> str:
        """Return a SHA-256 over the contents of all data files and plugins."""
        from twin.data import find

        total = hashlib.sha256()
        for text in self.files:
            total.update(text.encode() + b"\0" + hashlib.sha256(find(text, self.folder).read_bytes()).digest())
        for plugin in self.plugins:
            total.update(hashlib.sha256(Path(plugin).read_bytes()).digest())
        return total.hexdigest()


def told(error: Any) -> str:
    """Return the first problem that pydantic found, as "place: what"."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
