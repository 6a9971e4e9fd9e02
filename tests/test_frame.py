"""The shape of the project: what may import what, what is pinned, where packages lie."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CODE_FOLDERS = ("twin", "models", "kernels", "scenarios", "tests", "benchmarks", "notebooks")
LINKED_FOLDERS = ("models", "kernels", "scenarios")
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*")


def python_files(*folders: str) -> Iterator[Path]:
    """Yield the Python files below the folders, each once: links are not followed."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            inner = path.relative_to(ROOT)
            if not any((ROOT / parent).is_symlink() for parent in inner.parents):
                yield path


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the dotted names of all modules that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def importers(modules: set[str], *folders: str) -> list[str]:
    """List `file: module` for each import whose first name is among the modules."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files(*folders)
        for name in imported_modules(path)
        if name.split(".")[0] in modules
    ]


def requirements() -> dict[str, list[Requirement]]:
    """Give the requirements of pyproject by extra; the runtime ones are under `runtime`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"runtime": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(line) for line in lines] for extra, lines in groups.items()}


def pin_lines() -> list[str]:
    """List the lines of the constraints file that are not comments."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_linked_packages_are_imported_below_twin_only() -> None:
    assert importers(set(LINKED_FOLDERS), *CODE_FOLDERS) == []


def test_kernels_import_numba_numpy_and_the_standard_library_only() -> None:
    # numba's own llvmlite writes the few instructions that it has no name for.
    allowed = set(sys.stdlib_module_names) | {"numba", "llvmlite", "numpy"}
    outside = [
        f"{path.name}: {name}"
        for path in python_files("kernels")
        for name in imported_modules(path)
        if name.split(".")[0] not in allowed and not name.startswith("twin.kernels")
    ]
    assert outside == []


def test_only_plot_modules_import_matplotlib() -> None:
    found = importers({"matplotlib"}, "twin", "models", "kernels")
    assert [line for line in found if not line.startswith("twin/plot")] == []


@pytest.mark.parametrize("folder", LINKED_FOLDERS)
def test_package_link_is_relative_and_leads_to_the_folder(folder: str) -> None:
    link = ROOT / "twin" / folder
    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder
    assert link.resolve() == ROOT / folder


def test_constraints_are_exact_versions_without_addresses() -> None:
    assert [line for line in pin_lines() if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize("extra", sorted(requirements()))
def test_every_requirement_is_pinned_to_a_version_it_allows(extra: str) -> None:
    pins = dict(line.split("==") for line in pin_lines())
    refused = [
        str(requirement)
        for requirement in requirements()[extra]
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]
    assert refused == []


def test_only_the_ci_script_names_the_folder_of_real_data() -> None:
    name = "/".join(("shared", "data"))
    texts = [*python_files(*CODE_FOLDERS), ROOT / "Makefile", ROOT / "pyproject.toml"]
    assert [str(path) for path in texts if name in path.read_text(encoding="utf-8")] == []
    assert name in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_importing_twin_loads_no_heavy_library() -> None:
    heavy = {"numba", "mesa", "geopandas", "matplotlib", "pandas", "scipy", "networkx", "osmnx", "wntr"}
    script = f"import sys, twin; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
