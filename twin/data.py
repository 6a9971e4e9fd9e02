"""Real data sets: what they are, under which licence, and where their files lie.

Nothing here belongs to the program: files lie in the folder named by TWIN_DATA (or a folder of the
user), in the layout of their originals or under the short local name that `sources.csv` gives them.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources, util
from pathlib import Path

from twin.errors import DataError

VARIABLE = "TWIN_DATA"
_PREFIX = f"${VARIABLE}/"
_PACKAGE = "package:"


@dataclass(frozen=True, slots=True)
class Source:
    """One original file.

    path    its place in the repository
    name    short name it has in a local data folder
    part    True when the local file of that name is a part of the original
    """

    dataset: str
    repository: str
    commit: str
    path: str
    bytes: int
    sha256: str
    name: str
    part: bool


@dataclass(frozen=True, slots=True)
class Licence:
    """Licence of a data set as found; `stated` is False when its publisher names none.

    published  address of a set that `twin data get` cannot fetch, for no version of it is recorded
    """

    dataset: str
    what: str
    licence: str
    stated: bool
    published: str = ""


@cache
def sources() -> tuple[Source, ...]:
    """Return every original file that is known."""
    return tuple(_source(row) for row in _rows("sources.csv"))


@cache
def licences() -> dict[str, Licence]:
    """Return the licence of every data set, by name."""
    return {
        row["dataset"]: Licence(row["dataset"], row["what"], row["licence"], row["stated"] == "yes", row["published"])
        for row in _rows("licences.csv")
    }


def root() -> Path:
    """Return the data folder: TWIN_DATA, or `citytwin/data` in the user's data folder."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "citytwin" / "data"


def files_of(dataset: str) -> tuple[Source, ...]:
    """Return the original files of a data set; the error names the nearest set."""
    found = tuple(source for source in sources() if source.dataset == dataset)
    if found:
        return found
    if dataset in licences():
        raise DataError(f"data set {dataset!r} has no download: no version of it is recorded; {_by_hand(dataset)}")
    near = get_close_matches(dataset, licences(), 1, 0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DataError(f"no data set is named {dataset!r} (there are {', '.join(sorted(licences()))}){hint}")


def path(dataset: str, name: str) -> Path:
    """Return where a file of a data set lies, under its local name or in its original's layout.

    Raises DataError with the command that fetches it.
    """
    folder = root() / dataset
    for candidate in (folder / name, *_originals(folder, dataset, name)):
        if candidate.exists():
            return candidate
    known = [source for source in sources() if source.dataset == dataset]
    advice = f"fetch it: twin data get {dataset}" if known else _by_hand(dataset)
    raise DataError(f"{dataset}/{name} is not in {root()}; {advice}")


def _by_hand(dataset: str) -> str:
    """Return how a set comes to where it is looked for, when no command fetches it."""
    known = licences().get(dataset)
    origin = f"copy it from {known.published} to" if known and known.published else "put it into"
    return f"{origin} {root() / dataset}, or set {VARIABLE} to the folder that holds {dataset}/"


def find(text: str, folder: str | Path = ".") -> Path:
    """Return the file that a path in a scenario means, whether it exists or not.

    text    `$TWIN_DATA/set/file`, `package:name/file` of an installed package, absolute, or relative
    folder  what a relative path is relative to
    """
    if text.startswith(_PREFIX):
        inside = text.removeprefix(_PREFIX)
        dataset, _, name = inside.partition("/")
        try:
            return path(dataset, name) if name else root() / inside
        except DataError:
            return root() / inside
    if text.startswith(_PACKAGE):
        package, _, name = text.removeprefix(_PACKAGE).partition("/")
        found = util.find_spec(package) if package.isidentifier() else None
        if found is None or not found.submodule_search_locations:
            raise DataError(f"{text}: package {package!r} is not installed")
        return Path(found.submodule_search_locations[0]) / name
    try:
        return Path(folder) / Path(text).expanduser()
    except RuntimeError as error:
        raise DataError(f"{text}: no such user has a home folder here") from error


def dataset_of(text: str) -> str:
    """Return the data set a path in a scenario belongs to, "" for none.

    >>> dataset_of("$TWIN_DATA/boroondara/scats_volumes.csv")
    'boroondara'
    """
    return text.removeprefix(_PREFIX).partition("/")[0] if text.startswith(_PREFIX) else ""


def is_relative(text: str) -> bool:
    """Tell a path that depends on the folder of the file it stands in."""
    return not (text.startswith((_PREFIX, _PACKAGE, "~")) or Path(text).is_absolute())


def local_places(source: Source) -> tuple[Path, ...]:
    """Return where an original may lie: in its own layout, or whole under its local name."""
    folder = root() / source.dataset
    whole = () if source.part else (folder / source.name,)
    return (folder / source.path, *whole)


def _originals(folder: Path, dataset: str, name: str) -> list[Path]:
    """Return the originals a local name stands for, then files of that name at any depth."""
    named = [folder / source.path for source in sources() if source.dataset == dataset and source.name == name]
    deep = sorted(folder.rglob(Path(name).name)) if folder.is_dir() and Path(name).name else []
    return [*named, *(deep if len(deep) == 1 else [])]


def _source(row: dict[str, str]) -> Source:
    origin = (row["dataset"], row["repository"], row["commit"], row["path"])
    return Source(*origin, int(row["bytes"]), row["sha256"], row["name"], row["part"] == "yes")


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("twin.scenarios").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
