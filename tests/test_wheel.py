"""An installed wheel holds all of the project and works in an empty folder, far from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("twin", "models", "kernels", "scenarios")
SOURCES = ("pyproject.toml", "README.md", "LICENSE", *CODE)
DATA = {".yaml", ".csv"}


def done(*words, **how) -> str:
    """Run a command; return what it printed, or fail with all it said."""
    result = subprocess.run([str(w) for w in words], check=False, capture_output=True, text=True, timeout=600, **how)
    assert result.returncode == 0, f"{words}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel from a copy, so that the checkout stays clean."""
    place = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source, target = ROOT / name, place / "source" / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    done(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", place, place / "source")
    shutil.rmtree(place / "source")
    return next(place.glob("citytwin-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel in an environment that borrows this one's other packages.

    Their folder comes after its own, and path files in it, such as that of an editable
    install, do not count there.
    """
    home = tmp_path_factory.mktemp("installed") / "venv"
    done(sys.executable, "-m", "venv", "--without-pip", home)
    python = home / "bin" / "python"
    done(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    own = Path(done(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "borrowed.pth").write_text("\n".join(sorted(borrowed)))
    return home


@pytest.fixture
def outside(tmp_path, monkeypatch) -> Path:
    """Work in an empty folder, with empty caches and no way to the checkout."""
    for name in ("PYTHONPATH", "PYTHONHOME", "TWIN_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR", str(tmp_path / "kernels")))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "empty"


def test_the_wheel_holds_every_module_and_data_file(wheel):
    wanted = set()
    for folder in CODE:
        files = (path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", *DATA})
        below = "" if folder == "twin" else "twin/"
        wanted |= {below + path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {"twin/models/traffic/model.py", "twin/scenarios/cities/nusantara.yaml"} <= wanted
    assert sorted(wanted - held) == []
    assert "twin/py.typed" in held


def test_the_wheel_holds_nothing_else(wheel):
    others = [name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("twin/")]
    assert [name for name in others if ".dist-info/" not in name] == []


def test_modules_come_from_the_environment_not_from_the_checkout(installed, outside):
    script = "import twin, twin.kernels.philox, twin.models.power as p; print(twin.__file__, p.__file__, sep='\\n')"
    places = done(installed / "bin" / "python", "-c", script).splitlines()
    assert len(places) == 2
    assert all(Path(place).is_relative_to(installed) for place in places)


def test_commands_work_in_an_empty_folder(installed, outside):
    twin = installed / "bin" / "twin"
    assert "nusantara" in done(twin, "city", "list")
    done(twin, "new", "mine")
    assert "0 errors" in done(twin, "check", "mine.yaml")


def test_the_embedded_scenario_runs_in_an_empty_folder(installed, outside):
    twin = installed / "bin" / "twin"
    told = done(twin, "run", "nusantara", "--replications", 1, "--arm", "A", "--workers", 1)
    assert "response_mean" in told
    assert "report: results/nusantara/report.html" in told
    assert str(ROOT) not in told
    assert (outside / "results" / "nusantara" / "report.html").stat().st_size > 10_000
    assert "1 of 1 run complete" in done(twin, "results", "ls")
