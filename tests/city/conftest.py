"""Share generated and imported cities between the tests of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twin.city.loading import embedded
from twin.city.nusantara import generate


@pytest.fixture(scope="session")
def nusantara():
    return generate(embedded()["nusantara"])


@pytest.fixture(scope="session")
def data_folder():
    folder = os.environ.get("TWIN_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TWIN_DATA names no folder with the real data")
    return Path(folder)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
