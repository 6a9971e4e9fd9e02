"""Tables whose rows name a place of the city become layers of a GeoPackage."""

from __future__ import annotations

import json

import geopandas
import numpy as np
import pyarrow.parquet

from tests.synthetic_results import make_suite, small_city
from twin.execution.manifest import list_files
from twin.execution.output import write_json, write_table
from twin.results import Results


def test_calls_that_name_their_junction_become_points(tmp_path):
    suite = make_suite(tmp_path, arms=("A",), replications=1)
    (path,) = suite.glob("*/*/incidents/calls.parquet")
    columns = {name: np.asarray(values) for name, values in pyarrow.parquet.read_table(path).to_pydict().items()}
    rows = columns["node"]
    write_table(path, {**columns, "node": small_city()["nodes"]["id"][rows]})
    manifest = path.parents[1] / "manifest.json"
    write_json(manifest, {**json.loads(manifest.read_text()), "files": list_files(manifest.parent)})
    (written,) = Results(suite).export("gpkg", tmp_path / "gis")
    layer = geopandas.read_file(written, layer="calls")
    places = small_city().frame("nodes").geometry.iloc[rows]
    assert layer.crs.to_epsg() == 4326
    assert np.allclose(layer.geometry.x, places.x)
    assert np.allclose(layer.geometry.y, places.y)
