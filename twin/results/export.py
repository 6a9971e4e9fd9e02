"""Hand results out: SQL over all tables, CSV for spreadsheets, GeoPackage for GIS, Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import DataError

if TYPE_CHECKING:
    from twin.city import City
    from twin.results import Results

KINDS = ("csv", "gpkg", "parquet")
_PLACES = {"link": "links", "bus": "buses", "node": "nodes", "zone": "zones", "substation": "substations"}


def query(results: Results, text: str) -> Any:
    """Answer a query in DuckDB's SQL over the tables of all complete runs, as a data frame.

    A table `links/links` is called `links`, `incidents/calls` `calls`; `runs` lists the runs.
    Only reading is possible: files outside the results cannot be opened by a query.
    """
    import duckdb

    connection = duckdb.connect()
    try:
        _fill(connection, results)
        connection.execute("SET enable_external_access = false")
        answer = connection.execute(text).fetchdf() if text.strip() else None
        if answer is None:
            raise DataError("the query is empty; for example: SELECT * FROM runs")
        return answer
    except duckdb.Error as error:
        names = ", ".join(["runs", *short_names(results)])
        raise DataError(f"the query failed: {str(error).strip()}\ntables: {names}") from error
    finally:
        connection.close()


def _fill(connection: Any, results: Results) -> None:
    """Make a table of every Parquet table of the runs."""
    import pandas

    rows = [(str(r.folder), r.suite, r.arm, r.replication, r.seed, r.run_id, r.status, r.message) for r in results.runs]
    columns = ["folder", "suite", "arm", "replication", "seed", "run_id", "status", "message"]
    connection.register("runs", pandas.DataFrame(rows, columns=columns))
    for short, name in short_names(results).items():
        parts = [run.folder / f"{name}.parquet" for run in results.complete]
        files = [str(path.resolve()) for path in parts if path.is_file()]
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
        source = f"read_parquet([{listed}], union_by_name = true, filename = true)"
        connection.execute(f'CREATE TEMP TABLE "raw" AS SELECT * FROM {source}')  # noqa: S608
        known = {row[0] for row in connection.execute('DESCRIBE "raw"').fetchall()}
        labels = [label for label in ("suite", "arm", "replication") if label not in known]
        keys = pandas.DataFrame(
            [(str((r.folder / f"{name}.parquet").resolve()), r.suite, r.arm, r.replication) for r in results.complete],
            columns=["place", "suite", "arm", "replication"],
        )
        connection.register("keys", keys)
        chosen = "".join(f'keys."{label}", ' for label in labels)
        connection.execute(
            f'CREATE TABLE "{short}" AS SELECT {chosen}raw.* EXCLUDE (filename) '  # noqa: S608
            "FROM raw JOIN keys ON keys.place = raw.filename"
        )
        connection.unregister("keys")
        connection.execute('DROP TABLE "raw"')


def short_names(results: Results) -> dict[str, str]:
    """Return query name -> table name; the folder stays in front where two tables share a name."""
    names = results.table_names()
    last = [name.rpartition("/")[2] for name in names]
    return {
        (short if last.count(short) == 1 else name.replace("/", "_")): name
        for short, name in zip(last, names, strict=True)
    }


def export(results: Results, kind: str, folder: Path) -> list[Path]:
    """Write every table of the complete runs to a folder; return the files.

    csv      RFC 4180, comma, UTF-8 with byte-order mark (so that spreadsheets take it for UTF-8)
    gpkg     one layer per table whose rows have a place in the city, EPSG:4326
    parquet  one file per table, all runs together
    """
    if kind not in KINDS:
        raise DataError(f"cannot export as {kind!r}; choose one of {', '.join(KINDS)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _gpkg(results, folder) if kind == "gpkg" else _flat(results, kind, folder)
    except OSError as error:
        raise DataError(f"cannot write to {folder}: {error.strerror or error}; name another with --to") from error


def _flat(results: Results, kind: str, folder: Path) -> list[Path]:
    written = []
    for short, name in short_names(results).items():
        frame, target = results.table(name), folder / f"{short}.{kind}"
        if kind == "csv":
            _whole(target, lambda path, frame=frame: _csv(frame, path))
        else:
            _whole(target, lambda path, frame=frame: frame.to_parquet(path, compression="zstd", index=False))
        written.append(target)
    return written


def _csv(frame: Any, path: Path) -> None:
    """Write a frame; times become text without a zone suffix that spreadsheets would not parse."""
    frame = frame.copy()
    for name in frame.columns:
        if str(frame[name].dtype).startswith("datetime64"):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d %H:%M:%S.%f").str.rstrip("0").str.rstrip(".")
    frame.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _gpkg(results: Results, folder: Path) -> list[Path]:
    """Write the tables that have a place as layers of one GeoPackage."""
    city = results.city()
    target = folder / "results.gpkg"
    layers = {short: _placed(results.table(name), city, name) for short, name in short_names(results).items()}
    found = {short: frame for short, frame in layers.items() if frame is not None}
    if not found:
        raise DataError(f"no table of {results.folder} has a place in the city; export csv or parquet instead")

    def write(path: Path) -> None:
        for short, frame in found.items():
            frame.to_file(path, layer=short, driver="GPKG")

    _whole(target, write)
    return [target]


def _placed(frame: Any, city: City, name: str) -> Any:
    """Return a table with geometry, None when its rows have no place.

    A row's place: lon and lat of its own, else its id in the city table that the table or its
    folder is named after, else the city row or id in a column `link`, `bus`, `node`, `zone` or `substation`.
    """
    import geopandas

    if {"lon", "lat"} <= set(frame.columns):
        points = geopandas.points_from_xy(frame["lon"], frame["lat"])
        return geopandas.GeoDataFrame(frame, geometry=points, crs=4326)
    for table in dict.fromkeys(reversed(name.split("/"))):
        if table in city and "id" in frame.columns and "id" in city[table]:
            shapes = city.frame(table)
            if "geometry" in shapes.columns:
                geometry = frame["id"].map(dict(zip(shapes["id"], shapes.geometry, strict=True)))
                return geopandas.GeoDataFrame(frame, geometry=geometry, crs=4326)
    for column, table in _PLACES.items():
        if column in frame.columns and table in city:
            geometry = _geometry(frame[column], city.frame(table))
            if geometry is not None:
                return geopandas.GeoDataFrame(frame, geometry=geometry, crs=4326)
    return None


def _geometry(places: Any, shapes: Any) -> Any:
    """Return the shape of every place, given as a row or an id of a city table; None where neither fits."""
    if "geometry" not in shapes.columns:
        return None
    if places.to_numpy().dtype.kind == "i":
        return shapes.geometry.reindex(places.to_numpy()).to_numpy()
    if "id" in shapes.columns and places.isin(shapes["id"]).any():
        return places.map(dict(zip(shapes["id"], shapes.geometry, strict=True)))
    return None


def _whole(target: Path, write: Any) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        write(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
