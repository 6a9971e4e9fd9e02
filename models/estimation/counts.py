"""Read traffic counts in the layout of SCATS volumes: one row per approach and day.

Columns `SCATS Number`, `NB_LATITUDE`, `NB_LONGITUDE`, `Date`, `V00` to the last
`V` (96 of 15 minutes in the VicRoads extract), and a text on the place. `Vi` is
taken as the vehicles between `i` and `i + 1` intervals after local midnight.
Source of the layout: VicRoads, "Traffic Signal Volume Data", data.vic.gov.au.

A row that cannot be used is left out, counted, and named with its reason.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import DataError

Array = np.ndarray[Any, Any]

DAY_MINUTES = 24 * 60

_SITE, _LATITUDE, _LONGITUDE, _DATE = "scats number", "nb_latitude", "nb_longitude", "date"
_TEXTS = ("location", "location description")
_VOLUME = re.compile(r"v(\d+)$")
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T].*)?$")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?$")
_ARM = re.compile(
    r"^(?P<street>.+?)\s+(?P<arm>NE|NW|SE|SW|N|E|S|W|NORTH|EAST|SOUTH|WEST)(?:BOUND)?\s+OF\s+(?P<cross>.+)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Counts:
    """Counts of approaches over days, sorted by approach id.

    ids       (n_approach,)  site, place and, where stated, arm
    site      (n_approach,)  number of the intersection
    text      (n_approach,)  what the file says on the place
    lon, lat  (n_approach,)  deg, as in the file
    days      (n_day,)       ISO dates, local
    volume    (n_approach, n_day, n_slot)  vehicles per interval, NaN where nothing was recorded
    interval  s
    problems  one sentence per row left out, with file and line
    report    rows read, used and left out by reason
    """

    ids: tuple[str, ...]
    site: tuple[str, ...]
    text: tuple[str, ...]
    lon: Array
    lat: Array
    days: tuple[str, ...]
    volume: Array
    interval: float
    problems: tuple[str, ...] = ()
    report: Mapping[str, int] = field(default_factory=dict)

    def day(self, text: str) -> Array:
        """Return the volumes of one day, (n_approach, n_slot); the date as in the file or ISO."""
        wanted = parse_date(text)
        if wanted is None:
            raise DataError(f"day {text!r} is not a date; write it as 2006-10-05 or 5/10/2006")
        if wanted.isoformat() not in self.days:
            raise DataError(f"day {text!r} is not in the counts, which hold {self.days[0]} to {self.days[-1]}")
        return np.asarray(self.volume[:, self.days.index(wanted.isoformat())])


@dataclass
class _Record:
    line: int
    key: str
    day: date
    site: str
    text: str
    lon: float
    lat: float
    volume: Array


@dataclass(frozen=True)
class _Columns:
    """Where each thing stands in a row; `text` is -1 when the file has none."""

    site: int
    latitude: int
    longitude: int
    date: int
    text: int
    volumes: tuple[int, ...]


def read_counts(path: str | Path) -> Counts:
    """Read a counts file; bad rows are left out and named, a missing column is a DataError.

    Raises DataError also when the file cannot be read or no row is usable.
    """
    path = Path(path)
    problems: list[str] = []
    reasons: dict[str, int] = {}
    rows = 0

    def leave_out(line: int, reason: str, detail: str) -> None:
        reasons[reason] = reasons.get(reason, 0) + 1
        problems.append(f"{path.name}:{line}: {detail}")

    records: list[_Record] = []
    table = _lines(path)
    _, header = next(table, (0, None))
    columns = _columns(path, header)
    for line, cells in table:
        rows += 1
        record = _record(line, cells, columns)
        if isinstance(record, tuple):
            leave_out(line, *record)
        else:
            records.append(record)
    records = _without_repeats(records, leave_out)
    if not records:
        raise DataError(f"{path}: none of its {rows} rows is usable; the first: {[*problems, 'it has no rows'][0]}")
    report = {"rows": rows, "used": len(records), "left out": len(problems), **dict(sorted(reasons.items()))}
    return _gather(records, len(columns.volumes), tuple(problems), report)


def parse_date(text: str) -> date | None:
    """Return a date written d/m/yyyy or yyyy-mm-dd, with or without a time; None for anything else.

    >>> parse_date("3/10/2006").isoformat()
    '2006-10-03'
    """
    day_first, year_first = _DAY_FIRST.match(text.strip()), _YEAR_FIRST.match(text.strip())
    try:
        if day_first:
            return date(int(day_first[3]), int(day_first[2]), int(day_first[1]))
        if year_first:
            return date(int(year_first[1]), int(year_first[2]), int(year_first[3]))
    except ValueError:
        return None
    return None


def arm_of(text: str) -> tuple[str, str, str] | None:
    """Return street, arm and cross street of a text such as "A_RD N of B_ST"; None when it states none.

    >>> arm_of("WARRIGAL_RD N of TOORAK_RD")
    ('WARRIGAL_RD', 'N', 'TOORAK_RD')
    """
    found = _ARM.match(text.strip())
    if found is None:
        return None
    arm = found["arm"].upper()
    return found["street"], arm if len(arm) <= 2 else arm[0], found["cross"]


def slot_starts(day: str, slots: int, zone: str) -> Array:
    """Return the UTC us at which each interval of a local day begins, (slots,).

    Where clocks change, a local time that does not exist keeps the offset before the change.
    """
    from zoneinfo import ZoneInfo

    midnight = datetime.fromisoformat(day)
    step = timedelta(minutes=DAY_MINUTES / slots)
    local = [(midnight + i * step).replace(tzinfo=ZoneInfo(zone)) for i in range(slots)]
    return np.array([round(moment.timestamp() * 1_000_000) for moment in local], dtype=np.int64)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"{path}: the counts cannot be read: {reason}") from None


def _columns(path: Path, header: Sequence[str] | None) -> _Columns:
    if header is None:
        raise DataError(f"{path}: the file is empty; counts need a header and rows")
    names = [name.strip().lower() for name in header]
    volumes = {int(found[1]): place for place, name in enumerate(names) if (found := _VOLUME.match(name))}
    count = len(volumes)
    wanted = (_SITE, _LATITUDE, _LONGITUDE, _DATE)
    missing = [name for name in wanted if name not in names]
    missing += [f"v{i:02d}" for i in range(max(volumes, default=95) + 1) if i not in volumes]
    if missing:
        listed = ", ".join(name.upper() for name in missing[:6]) + (", ..." if len(missing) > 6 else "")
        raise DataError(
            f"{path}:1: counts lack {len(missing)} column(s): {listed}; "
            "they need SCATS Number, NB_LATITUDE, NB_LONGITUDE, Date and V00 to V95"
        )
    if DAY_MINUTES % count:
        raise DataError(f"{path}:1: {count} volume columns do not divide a day of {DAY_MINUTES} minutes; 96 are 15 min")
    text = next((names.index(name) for name in _TEXTS if name in names), -1)
    site, latitude, longitude, day = (names.index(name) for name in wanted)
    return _Columns(site, latitude, longitude, day, text, tuple(volumes[i] for i in range(count)))


def _record(line: int, cells: list[str], columns: _Columns) -> _Record | tuple[str, str]:
    """Return a usable row, or the reason and sentence why it is not."""
    needed = max((*columns.volumes, columns.site, columns.latitude, columns.longitude, columns.date))
    if len(cells) <= needed:
        return "short row", f"the row has {len(cells)} cells of at least {needed + 1}"
    day = parse_date(cells[columns.date])
    if day is None:
        return "bad date", f"date {cells[columns.date]!r} is not d/m/yyyy"
    place = _place(cells[columns.latitude], cells[columns.longitude])
    if place is None:
        where = f"latitude {cells[columns.latitude]!r}, longitude {cells[columns.longitude]!r}"
        return "bad place", f"{where} is not a place in degrees"
    volume = _volumes([cells[i] for i in columns.volumes])
    if isinstance(volume, str):
        return "bad volume", volume
    if not np.nansum(volume) > 0:
        return "no vehicle", "no vehicle was counted all day: the detector was out"
    site = cells[columns.site].strip()
    text = cells[columns.text].strip() if 0 <= columns.text < len(cells) else ""
    latitude, longitude = place
    stated = f" {text}" if arm_of(text) else ""
    key = f"{site} {latitude:.6f} {longitude:.6f}{stated}"
    return _Record(line, key, day, site, text, longitude, latitude, volume)


def _place(latitude: str, longitude: str) -> tuple[float, float] | None:
    try:
        lat, lon = float(latitude), float(longitude)
    except ValueError:
        return None
    usable = -90 <= lat <= 90 and -180 <= lon <= 180 and (lat, lon) != (0, 0)
    return (lat, lon) if usable else None


def _volumes(cells: list[str]) -> Array | str:
    """Return vehicles per interval, NaN for empty cells, or a sentence on the first bad cell."""
    volume = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if not cell.strip():
            continue
        try:
            volume[i] = float(cell)
        except ValueError:
            return f"V{i:02d} {cell!r} is not a number"
        if not (np.isfinite(volume[i]) and volume[i] >= 0):
            return f"V{i:02d} {cell!r} is not a count of vehicles"
    return volume


def _without_repeats(records: list[_Record], leave_out: Any) -> list[_Record]:
    """Leave out rows that say the same twice, and rows that contradict each other."""
    groups: dict[tuple[str, date], list[_Record]] = {}
    for record in records:
        groups.setdefault((record.key, record.day), []).append(record)
    kept = []
    for (key, day), group in groups.items():
        first = group[0]
        if all(np.array_equal(first.volume, other.volume, equal_nan=True) for other in group):
            kept.append(first)
            for other in group[1:]:
                leave_out(other.line, "repeated", f"approach {key} on {day} repeats line {first.line}")
            continue
        lines = ", ".join(str(record.line) for record in group)
        for record in group:
            leave_out(
                record.line, "not told apart", f"approach {key} on {day} stands in lines {lines} with different counts"
            )
    return kept


def _gather(records: list[_Record], slots: int, problems: tuple[str, ...], report: dict[str, int]) -> Counts:
    first = {record.key: record for record in sorted(records, key=lambda r: (r.key, r.day), reverse=True)}
    ids = tuple(sorted(first))
    days = tuple(sorted({record.day.isoformat() for record in records}))
    volume = np.full((len(ids), len(days), slots), np.nan)
    row, column = {key: i for i, key in enumerate(ids)}, {day: i for i, day in enumerate(days)}
    for record in records:
        volume[row[record.key], column[record.day.isoformat()]] = record.volume
    kept = [first[key] for key in ids]
    return Counts(
        ids=ids,
        site=tuple(record.site for record in kept),
        text=tuple(record.text for record in kept),
        lon=np.array([record.lon for record in kept]),
        lat=np.array([record.lat for record in kept]),
        days=days,
        volume=volume,
        interval=DAY_MINUTES * 60 / slots,
        problems=problems,
        report=report,
    )
