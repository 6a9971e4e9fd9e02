"""The kernel cache notices edits in kernels that a kernel calls."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import twin.kernels._jit as jit_module
from twin.kernels.philox import uniform

pytestmark = pytest.mark.jit

SCRIPT = """
from twin.kernels.caller import caller
from twin.kernels.other import other
print(caller(1), other(1), *(len(k.stats.cache_hits) for k in (caller, other)))
"""


PLAIN = "from twin.kernels.caller import caller; print(caller(1), -1)"


def _write(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.py").write_text(body)


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    folder = tmp_path / "twin" / "kernels"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    shutil.copy(str(jit_module.__file__), folder / "_jit.py")
    use = "from twin.kernels._jit import jit\n"
    _write(folder, "callee", f"{use}\n@jit\ndef callee(x):\n    return x + 1\n")
    middle = f"{use}from twin.kernels.callee import callee\n"
    _write(folder, "middle", f"{middle}\n@jit\ndef middle(x):\n    return callee(x)\n")
    top = f"{use}from twin.kernels import middle as m\nmiddle = m.middle\n"
    _write(folder, "caller", f"{top}\n@jit\ndef caller(x):\n    return middle(x)\n")
    _write(folder, "other", f"{use}\n@jit\ndef other(x):\n    return -x\n")
    return folder


def _run(kernels: Path, cache: Path, script: str = SCRIPT, jit: bool = True) -> list[int]:
    environment = {**os.environ, "PYTHONPATH": str(kernels.parents[1])}
    environment |= {"NUMBA_CACHE_DIR": str(cache), "NUMBA_DISABLE_JIT": "0" if jit else "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, cwd=kernels.parents[1], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [int(word) for word in done.stdout.split()]


def test_an_edited_callee_renews_its_callers_only(kernels: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert _run(kernels, cache) == [2, -1, 0, 0]
    assert _run(kernels, cache) == [2, -1, 1, 1]
    source = kernels / "callee.py"
    source.write_text(source.read_text().replace("x + 1", "x + 5"))
    assert _run(kernels, cache) == [6, -1, 0, 1]


def test_a_folder_that_cannot_be_written_only_costs_time(kernels: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    assert _run(kernels, blocked) == [2, -1, 0, 0]
    assert blocked.read_text() == "no folder"


def test_without_the_jit_nothing_is_compiled(kernels: Path, tmp_path: Path) -> None:
    assert _run(kernels, tmp_path / "cache", PLAIN, jit=False) == [2, -1]
    assert not (tmp_path / "cache").exists()


def test_the_stamp_follows_imports_of_imports(kernels: Path) -> None:
    stamp = jit_module.source_stamp(kernels / "other.py")
    assert stamp == jit_module.source_stamp(kernels / "other.py")
    assert stamp != jit_module.source_stamp(kernels / "callee.py")


def test_a_number_that_is_named_compiles_nothing_anew(kernels: Path, tmp_path: Path) -> None:
    _write(kernels, "one", "from twin.kernels._jit import inline_jit\n@inline_jit\ndef one(x):\n    return x + 1\n")
    body = "@jit\ndef many(n):\n    x = 0\n    for _ in range(n):\n        x = one(x) + one(7)\n    return x\n"
    _write(kernels, "many", f"from twin.kernels._jit import jit\nfrom twin.kernels.one import one\n{body}")
    script = "from twin.kernels.many import many; from twin.kernels.one import one; print(many(2), len(one.overloads))"
    assert _run(kernels, tmp_path / "cache", script) == [18, 1]


def test_a_loky_worker_draws_the_same_number() -> None:
    from loky import get_reusable_executor

    worker = get_reusable_executor(max_workers=1)
    assert worker.submit(uniform, 1, 2, 3, 4).result() == uniform(1, 2, 3, 4)
    worker.shutdown()
