"""A small city and a folder of results in the layout of runs, made without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from twin.city import City
from twin.execution.manifest import list_files
from twin.execution.output import with_clock, write_json, write_table

HOUR = 3_600_000_000
START = 1_768_467_600_000_000  # 2026-01-15 17:00 WITA
ZONE = "Asia/Makassar"
COLUMNS = 6
EVIL = "<script>alert('x')</script>"

KPIS = (
    ("response_mean", "s", "lower", 15.0, "mean time from ring to unit on scene"),
    ("late_share", "1", "lower", 0.02, "calls reached late"),
    ("vehicle_hours", "h", "lower", 50.0, "time of all vehicles"),
    ("customer_minutes_lost", "min", "lower", 1000.0, "customers times minutes without power"),
)


def small_city(name: str = "toy", title: str = "Toy city") -> City:
    """Return a grid of 6 by 6 junctions, 400 m apart, with a river, a substation and a few places."""
    x, y = (400.0 * axis.ravel() for axis in np.meshgrid(np.arange(COLUMNS), np.arange(COLUMNS)))
    rows = np.arange(COLUMNS * COLUMNS)
    right, up = rows[rows % COLUMNS < COLUMNS - 1], rows[rows < COLUMNS * (COLUMNS - 1)]
    ends = np.concatenate([np.stack([right, right + 1], 1), np.stack([up, up + COLUMNS], 1)])
    ends = np.concatenate([ends, ends[:, ::-1]])
    count = len(ends)
    main = (ends % COLUMNS == 2).all(axis=1)
    points = np.stack([np.stack([x, y], 1)[ends[:, 0]], np.stack([x, y], 1)[ends[:, 1]]], 1).reshape(-1, 2)
    buses = np.array([0, 7, 14, 21, 28, 35])
    tables: dict[str, dict[str, Any]] = {
        "nodes": {"id": _ids("n", len(x)), "x": x, "y": y, "elevation": 5 + y / 100, "above_river": y / 100},
        "links": {
            "id": _ids("l", count),
            "from_node": ends[:, 0].astype(np.int32),
            "to_node": ends[:, 1].astype(np.int32),
            "length": np.full(count, 400.0),
            "road_class": np.where(main, "primary", "residential"),
            "name": np.full(count, "Jalan Satu"),
            "point_first": (2 * np.arange(count)).astype(np.int32),
            "point_count": np.full(count, 2, dtype=np.int32),
        },
        "points": {"x": points[:, 0], "y": points[:, 1]},
        "river": {"x": np.array([-100.0, 2100.0]), "y": np.array([-150.0, -90.0])},
        "zones": {
            "id": _ids("z", 4),
            "x": np.array([200.0, 1800, 200, 1800]),
            "y": np.array([200.0, 200, 1800, 1800]),
            "population": np.array([4000, 900, 1500, 5000]),
        },
        "buses": {"id": _ids("b", 6), "x": x[buses], "y": y[buses], "customers": np.array([0, 10, 900, 30, 0, 200])},
        "lines": {
            "id": _ids("w", 5),
            "from_bus": np.arange(5, dtype=np.int32),
            "to_bus": np.arange(1, 6, dtype=np.int32),
            "closed": np.array([True, True, False, True, True]),
        },
        "substations": {"id": _ids("ss", 1), "name": np.array(["Gardu 1"]), "x": x[:1], "y": y[:1]},
        "hospitals": {"id": _ids("h", 1), "name": np.array(["RS Satu"]), "x": x[8:9], "y": y[8:9]},
        "stations": {"id": _ids("a", 2), "name": np.array(["S1", "S2"]), "x": x[[3, 30]], "y": y[[3, 30]]},
        "signals": {"id": _ids("s", 2), "node": np.array([14, 21], dtype=np.int32)},
    }
    provenance = (
        {"item": "river.level", "value": 5, "unit": "m", "source": "assumption: round figure"},
        {"item": "driving_side", "value": "left", "unit": "", "source": "national law"},
    )
    return City(name, title, "left", ZONE, 32750, tables, {}, provenance)


def _ids(prefix: str, count: int) -> np.ndarray[Any, Any]:
    return np.array([f"{prefix}{k}" for k in range(count)])


def make_suite(
    folder: Path,
    city: City | None = None,
    arms: tuple[str, ...] = ("A", "B"),
    replications: int = 4,
    title: str = "Flood night",
) -> Path:
    """Write a suite with runs of every arm; B answers faster and has less delay. Return its folder."""
    city = city or small_city()
    suite = folder / "toy_suite"
    place = f"cities/{city.name}-x"
    city.save(suite / place)
    listed = []
    for number, arm in enumerate(arms):
        for replication in range(replications):
            run = suite / arm / f"run{number}{replication}"
            _write_run(run, city, arm, number, replication)
            _write_manifest(run, city, (suite.name, arm, title), replication, place)
            listed.append({"arm": arm, "replication": replication, "run_id": run.name})
    compare = {"baseline": arms[0], "margins": {"response_mean": 20.0}, "confidence": 0.95}
    write_json(suite / "suite.json", {"title": title, "compare": compare, "runs": listed, "arms": list(arms)})
    return suite


def _write_run(run: Path, city: City, arm: str, number: int, replication: int) -> None:
    draw = np.random.default_rng(replication)
    gain = 1.0 - 0.2 * number
    values = kpi_values(number, replication)
    write_table(
        run / "kpis.parquet",
        {
            "suite": np.full(len(KPIS), "toy_suite"),
            "arm": np.full(len(KPIS), arm),
            "replication": np.full(len(KPIS), replication),
            "seed": np.full(len(KPIS), 1 + replication),
            "kpi": np.array([k[0] for k in KPIS]),
            "value": np.array([values[k[0]] for k in KPIS]),
            "unit": np.array([k[1] for k in KPIS]),
            "direction": np.array([k[2] for k in KPIS]),
            "margin": np.array([k[3] for k in KPIS]),
            "meaning": np.array([k[4] for k in KPIS]),
        },
    )
    time = np.arange(0, 6 * HOUR + 1, HOUR // 12)
    hours = time / HOUR
    curves = {
        "customers_without_power": 900.0 * ((hours > 2) & (hours < 4)),
        "vehicles_on_road": gain * (900 + 400 * np.sin(hours) + 40 * draw.standard_normal(len(time))),
        "calls_waiting": gain * np.maximum(0, 4 - 2 * np.abs(hours - 3) + 0.3 * draw.standard_normal(len(time))),
        "units_busy": 3 + gain * 4 * np.exp(-((hours - 3) ** 2)),
    }
    series = {
        "time": np.tile(time, len(curves)),
        "name": np.repeat(list(curves), len(time)),
        "value": np.concatenate(list(curves.values())),
    }
    write_table(run / "series.parquet", with_clock(series, START, ZONE))
    if city.rows("nodes"):
        _write_streets(run, city, gain, draw)
    if city.rows("buses"):
        out = np.where(np.arange(city.rows("buses")) % 3 == 2, 120.0 * gain, 0.0)
        write_table(run / "buses" / "buses.parquet", {"id": city["buses"]["id"], "minutes_without_power": out})
    _write_events(run)


def _write_streets(run: Path, city: City, gain: float, draw: np.random.Generator) -> None:
    """Write what happened on the links of a city, and its calls."""
    near = np.exp(-np.arange(city.rows("links")) / (0.2 * city.rows("links")))
    write_table(
        run / "links" / "links.parquet",
        {
            "id": city["links"]["id"],
            "time_ratio": 1.0 + 2.5 * gain * near * draw.random(len(near)),
            "max_depth": 0.8 * near**3,
        },
    )
    response = gain * 60 * (4 + 12 * draw.random(30))
    write_table(
        run / "incidents" / "calls.parquet",
        {
            "node": draw.integers(0, city.rows("nodes"), 30),
            "response": response,
            "late": response > 480,
        },
    )


def kpi_values(number: int, replication: int) -> dict[str, float]:
    """Return the figures of a run: B (1) is faster, and costs the same in power."""
    luck = float(np.random.default_rng(replication).normal(0, 1))
    return {
        "response_mean": 600 + 20 * luck - number * (80 + 3 * luck),
        "late_share": 0.3 + 0.01 * luck - 0.001 * number,
        "vehicle_hours": 5000 + 200 * luck + number * (90 + 60 * luck),
        "customer_minutes_lost": 2.2e6,
    }


def _write_events(run: Path) -> None:
    rows = [
        (HOUR, "flood", 3, 10.0),
        (2 * HOUR, "substation_trip", 0, 0.6),
        (2 * HOUR, "signal_dark", 1, 0.0),
        (2 * HOUR + 9, "link_slow", 4, 90.0),
        (2 * HOUR + 60_000_000, "link_slow", 5, 80.0),
        (2 * HOUR, "call_rings", 7, 0.0),
        (3 * HOUR, "call_late", 7, 900.0),
        (3 * HOUR, "call_late", 8, 500.0),
    ]
    time, kind, target, value = (np.array(column) for column in zip(*rows, strict=True))
    events = {
        "id": np.arange(len(rows)),
        "time": time,
        "kind": kind,
        "target": target,
        "value": value,
        "data": np.zeros(len(rows), dtype=np.int64),
    }
    write_table(run / "events" / "events.parquet", with_clock(events, START, ZONE))
    pairs = np.array([(1, 0), (2, 1), (3, 2), (4, 3), (6, 4), (6, 5), (7, 5)])
    write_table(run / "events" / "parents.parquet", {"event": pairs[:, 0], "parent": pairs[:, 1]})


def _write_manifest(run: Path, city: City, names: tuple[str, str, str], replication: int, place: str) -> None:
    suite, arm, title = names
    flood = {"kind": "flood", "time": HOUR, "params": {"peak": 1.0, "rise": 3600.0, "hold": 3600.0, "fall": 7200.0}}
    case = {
        "start": START,
        "policies": {"dispatch": f"rule_{arm}"},
        "models": ["traffic"],
        "feeds": [],
        "events": [flood],
    }
    number = 0 if arm == "A" else 1
    write_json(
        run / "manifest.json",
        {
            "run_id": run.name,
            "suite": suite,
            "arm": arm,
            "title": title,
            "replication": replication,
            "seed": 1 + replication,
            "duration_us": 6 * HOUR,
            "kpis": kpi_values(number, replication),
            "case": case,
            "files": list_files(run),
            "city": {"name": city.name, "title": city.title, "timezone": ZONE, "digest": city.digest, "folder": place},
            "identity": {"code": "c0de", "libraries": {"numpy": np.__version__}},
            "machine": {"platform": "test", "cores": 2},
        },
    )
