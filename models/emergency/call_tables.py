"""Read tables of real emergency calls: ambulance weeks of Friuli, fire-brigade calls of Seattle.

Times become seconds after Monday 0:00 of the first week, local clock. `span` says when
the table tells of every call: a rate is calls in a span by its length. Rows that cannot
be used are left out, counted, and named with file, line and reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import DataError

Array = np.ndarray[Any, Any]

DAY, WEEK = 86_400.0, 604_800.0
EARTH = 6_371_008.8
"""Mean radius of the Earth, m. Source: IUGG, Moritz, Geodetic Reference System 1980."""

URGENCY = ("RED", "YELLOW", "GREEN", "WHITE")
"""Urgency codes of Italian emergency care, the most urgent first."""

_EASYNET = ("transport_code", "urgency_code", "lat", "lon", "date_time", "real_hospital")
_SEATTLE = ("incident_number", "type", "lat", "lon", "datetime")
_WEEK_FILE = re.compile(r"anonym-week-(\d+)\.csv$")


@dataclass(frozen=True)
class CallTable:
    """Real calls, sorted by time.

    time      (n_call,)    s after Monday 0:00 of the first week
    lon, lat  (n_call,)    deg
    kind      (n_call,)    row in `kinds`
    hospital  (n_call,)    row in `hospitals`, -1 for none
    span      (n_span, 2)  s, first and last instant of each stretch in which every call is told of
    kinds, hospitals       names
    problems  one sentence per row left out
    report    rows read, used and left out by reason
    """

    time: Array
    lon: Array
    lat: Array
    kind: Array
    hospital: Array
    span: Array
    kinds: tuple[str, ...]
    hospitals: tuple[str, ...]
    problems: tuple[str, ...] = ()
    report: Mapping[str, int] = field(default_factory=dict)

    def xy(self) -> Array:
        """Return places in metres east and north of the middle of all calls; (n_call, 2).

        Equirectangular: within 50 km of the middle distances are right to about 1 %.
        """
        middle = np.radians([np.median(self.lon), np.median(self.lat)])
        east = (np.radians(self.lon) - middle[0]) * np.cos(middle[1])
        return np.column_stack([east, np.radians(self.lat) - middle[1]]) * EARTH

    def within(self, span: Array) -> Array:
        """Return which calls fall in some stretches of time; (n_call,) of bool."""
        return in_spans(self.time, span)


@dataclass
class _Record:
    line: str
    key: str
    moment: datetime
    lon: float
    lat: float
    kind: str
    hospital: str


def in_spans(time: Array, span: Array) -> Array:
    """Return which instants lie in one of the stretches [first, last); (n,) of bool."""
    ordered = span[np.argsort(span[:, 0])]
    row = np.searchsorted(ordered[:, 0], time, side="right") - 1
    return np.asarray((row >= 0) & (time < ordered[np.maximum(row, 0), 1]))


def read_easynet(folder: str | Path, *, repeats: bool = False) -> CallTable:
    """Read the ambulance weeks of Friuli Venezia Giulia, one file a week, laid end to end.

    Every file bears the dates of one and the same week, since it was anonymised in time: the
    number in its name tells the weeks apart. Some days stand in two files, call by call; the
    second is left out with its day unless `repeats` is set, for else it would count as new evidence.

    Source: iolab-uniud/easynet, anonymized instances.

    Raises DataError when there is no such file, a column is missing or no row is usable.
    """
    files = sorted(_week_files(Path(folder)))
    left = _LeftOut()
    records: list[tuple[float, _Record]] = []
    spans: list[tuple[float, float]] = []
    seen: set[str] = set()
    for week, (_, path) in enumerate(files):
        found = list(_records(path, _EASYNET, left, lambda text: _known(text, URGENCY, "urgency_code")))
        if not found:
            continue
        monday = _monday(min(record.moment for record in found))
        timed = [((record.moment - monday).total_seconds() + week * WEEK, record) for record in found]
        repeated = {record.key for _, record in timed} & seen if not repeats else set()
        old, new = (
            {int(time // DAY) for time, record in timed if (record.key in repeated) == again} for again in (True, False)
        )
        for time, record in timed:
            if record.key in repeated:
                left.out(record.line, "repeated", f"transport {record.key} stands in an earlier week")
            else:
                records.append((time, record))
        days = [week * 7 + day for day in range(7)]
        spans += [(day * DAY, (day + 1) * DAY) for day in days if day in new or day not in old]
        seen |= {record.key for _, record in timed}
    return _table(records, _joined(spans), URGENCY, left, str(folder))


def read_seattle(path: str | Path, gap: float = 3 * 3600.0, least: int = 20) -> CallTable:
    """Read fire-brigade calls of Seattle, which are pieces of a longer list.

    gap, least  a stretch without a pause of `gap` seconds and with `least` calls or more is
                taken as complete; other calls stay in the table, outside of every span

    Kinds are the types of call, the most frequent first.

    Source: Seattle Real Time Fire 911 Calls, data.seattle.gov.
    """
    left = _LeftOut()
    found: dict[str, _Record] = {}
    for record in _records(Path(path), _SEATTLE, left, lambda text: text or None):
        if record.key in found:
            left.out(record.line, "repeated", f"incident {record.key} stands in {found[record.key].line} too")
        else:
            found[record.key] = record
    if not found:
        return _table([], [], (), left, str(path))
    monday = _monday(min(record.moment for record in found.values()))
    records = [((record.moment - monday).total_seconds(), record) for record in found.values()]
    counts: dict[str, int] = {}
    for record in found.values():
        counts[record.kind] = counts.get(record.kind, 0) + 1
    kinds = tuple(sorted(counts, key=lambda kind: (-counts[kind], kind)))
    time = np.sort([time for time, _ in records])
    runs = np.split(time, np.flatnonzero(np.diff(time) > gap) + 1)
    spans = [(float(run[0]), float(run[-1]) + 1.0) for run in runs if run.shape[0] >= least]
    return _table(records, spans, kinds, left, str(path))


class _LeftOut:
    """Count the rows left out by reason."""

    def __init__(self) -> None:
        self.rows = 0
        self.problems: list[str] = []
        self.reasons: dict[str, int] = {}

    def out(self, line: str, reason: str, detail: str) -> None:
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        self.problems.append(f"{line}: {detail}")


def _week_files(folder: Path) -> Iterator[tuple[int, Path]]:
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the one that holds anonym-week-0.csv and its like")
    found = False
    for path in folder.iterdir():
        number = _WEEK_FILE.search(path.name)
        if number:
            found = True
            yield int(number[1]), path
    if not found:
        raise DataError(f"{folder} holds no file named like anonym-week-0.csv")


def _records(
    path: Path, columns: Sequence[str], left: _LeftOut, kind_of: Callable[[str], str | None]
) -> Iterator[_Record]:
    """Read the usable rows of one file; the columns are key, kind, latitude, longitude, time and hospital."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            missing = [name for name in columns if name not in names]
            if missing:
                near = get_close_matches(missing[0], names, 1)
                hint = f"; the nearest it has is {near[0]}" if near else ""
                raise DataError(f"{path}:1: the table of calls lacks column(s) {', '.join(missing)}{hint}")
            for row in reader:
                left.rows += 1
                record = _record(f"{path.name}:{reader.line_num}", [row[name] or "" for name in columns], kind_of)
                if isinstance(record, _Record):
                    yield record
                else:
                    left.out(*record)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: the calls cannot be read: {error}") from None


def _record(line: str, cells: Sequence[str], kind_of: Callable[[str], str | None]) -> _Record | tuple[str, str, str]:
    """Return a usable row, or where, why in short and why in full."""
    key, kind, latitude, longitude, stamp, *rest = (cell.strip() for cell in cells)
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return line, "bad time", f"time {stamp!r} is not like 2022-04-09 07:51:35"
    try:
        lat, lon = float(latitude), float(longitude)
    except ValueError:
        return line, "bad place", f"latitude {latitude!r}, longitude {longitude!r} are not numbers"
    if not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat, lon) == (0.0, 0.0):
        return line, "bad place", f"latitude {latitude}, longitude {longitude} is not a place in degrees"
    try:
        known = kind_of(kind)
    except DataError as error:
        return line, "unknown kind", str(error)
    if not key or not known:
        return line, "no key", "the row names no call or no kind of call"
    return _Record(line, key, moment.replace(tzinfo=None), lon, lat, known, rest[0] if rest else "")


def _known(text: str, names: Sequence[str], column: str) -> str:
    if text.upper() in names:
        return text.upper()
    near = get_close_matches(text.upper(), names, 1)
    raise DataError(f"{column} {text!r} must be one of {', '.join(names)}" + (f"; nearest: {near[0]}" if near else ""))


def _monday(moment: datetime) -> datetime:
    day = moment - timedelta(days=moment.weekday())
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join stretches where one ends when the next begins."""
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _table(
    records: Sequence[tuple[float, _Record]],
    spans: Sequence[tuple[float, float]],
    kinds: Sequence[str],
    left: _LeftOut,
    place: str,
) -> CallTable:
    if not records:
        first = [*left.problems, "it has no rows"][0]
        raise DataError(f"{place}: none of its {left.rows} rows is usable; the first: {first}")
    ordered = sorted(records, key=lambda pair: (pair[0], pair[1].key))
    rows = [record for _, record in ordered]
    hospitals = tuple(sorted({record.hospital for record in rows} - {""}))
    hospital = {name: i for i, name in enumerate(hospitals)}
    number = {name: i for i, name in enumerate(kinds)}
    time = np.array([time for time, _ in ordered])
    span = np.array(spans, dtype=np.float64).reshape(-1, 2)
    outside = int((~in_spans(time, span)).sum()) if span.size else len(rows)
    return CallTable(
        time,
        np.array([record.lon for record in rows]),
        np.array([record.lat for record in rows]),
        np.array([number[record.kind] for record in rows], dtype=np.int64),
        np.array([hospital.get(record.hospital, -1) for record in rows], dtype=np.int64),
        span,
        tuple(kinds),
        hospitals,
        tuple(left.problems),
        {
            "rows": left.rows,
            "used": len(rows),
            "outside of spans": outside,
            "left out": len(left.problems),
            **dict(sorted(left.reasons.items())),
        },
    )
