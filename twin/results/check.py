"""What files of results must hold before anything is read from them: manifests and suite files.

Results are often copied, cut short or edited by hand, so each file is checked whole at one place.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from twin.errors import DataError
from twin.scenario.case import told


def _name(text: str) -> str:
    """Refuse what cannot be the name of one folder; other characters are shown as they are, or escaped."""
    if text in {"", ".", ".."} or set(text) & set("/\\\0"):
        raise ValueError(f"{text!r} is not the name of a folder")
    return text


def _inside(text: str) -> str:
    """Refuse a path that leads out of the folder it is relative to."""
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text:
        raise ValueError(f"{text!r} is not a path below the folder")
    return text


Name = Annotated[str, AfterValidator(_name)]
Inside = Annotated[str, AfterValidator(_inside)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _File(_Checked):
    bytes: int
    sha256: str


class _City(_Checked):
    name: str
    title: str
    timezone: str
    digest: str
    folder: Inside


class _Event(_Checked):
    kind: str
    time: int = 0
    params: dict[str, Any] = {}


class _Case(_Checked):
    start: int
    policies: dict[str, str] = {}
    models: list[str] = []
    feeds: list[tuple[str, Any]] = []
    events: list[_Event] = []


class _Manifest(_Checked):
    run_id: Inside
    suite: Name
    arm: Name
    replication: int
    seed: int
    title: str = ""
    duration_us: int
    wall_s: float = 0.0
    finished: str = ""
    kpis: dict[str, Finite | None]
    files: dict[Inside, _File]
    city: _City
    case: _Case
    identity: dict[str, Any] = {}
    machine: dict[str, Any] = {}


class _Comparison(_Checked):
    baseline: str = ""
    margins: dict[str, Annotated[Finite, Field(ge=0)]] = {}
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    judged: list[str] = []
    directions: dict[str, Literal["lower", "higher"]] = {}


class _Listed(_Checked):
    arm: Name
    replication: int
    run_id: Inside
    case: dict[str, Any] = {}


class _Expected(_Checked):
    arm: str
    kpi: str
    op: Literal["<=", ">=", "==", "!=", "<", ">"]
    value: float
    label: str = ""


class _Suite(_Checked):
    suite: str = ""
    title: str = ""
    file: str = ""
    arms: list[str] = []
    compare: _Comparison = _Comparison()
    expectations: list[_Expected] = []
    scenario: dict[str, Any] = {}
    runs: list[_Listed]


_Kind = TypeVar("_Kind", _Manifest, _Suite)


def check_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest; DataError says what is wrong, FileNotFoundError that there is none."""
    return _read(path, _Manifest)


def check_suite(path: Path) -> dict[str, Any]:
    """Return a suite's file; DataError says what is wrong, FileNotFoundError that there is none."""
    return _read(path, _Suite)


def _read(path: Path, kind: type[_Kind]) -> dict[str, Any]:
    try:
        text = path.read_bytes()
        kind.model_validate_json(text)
        return dict(json.loads(text))
    except FileNotFoundError:
        raise
    except ValidationError as error:
        raise DataError(f"{path} is damaged ({told(error)})") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
