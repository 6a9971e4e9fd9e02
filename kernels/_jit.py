"""Compile kernels with a disk cache that notices edits in imported kernels.

numba stamps a cached function with the content of its own file only, so an
edit in a kernel that it calls leaves a stale cache and a silently wrong
answer. The locator here stamps the file together with every kernel file it
imports, directly or not.
"""

import ast
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching, types
from numba.misc.appdirs import AppDirs

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_FOLDER = Path(__file__).parent
_PACKAGE = "twin.kernels"
_NUMBA: Any = numba
_CONFIG: Any = numba.config
_USER_FOLDERS: Any = AppDirs
_CACHING: Any = caching
_UNLITERAL: Any = types.unliteral


_PLAIN: dict[str, bool] = {"nogil": True, "no_cfunc_wrapper": True}
"""Nobody calls kernels from C; a wrapper for that each takes a ninth of the time to compile (demo: 7.6 s of 64 s)."""

_LEAN = {**_PLAIN, "_nrt": False}


def jit(function: Kernel) -> Kernel:
    """Compile a function with numba, cached on disk by its sources.

    The cache lies in NUMBA_CACHE_DIR if that is set, else in the user's cache
    folder; where neither can be written the kernel is compiled anew in every
    process. With NUMBA_DISABLE_JIT=1 the function is returned as it is. Kernels free
    Python's lock, so that worlds in threads of one process run at once.
    """
    return _cached(function, _compiled(function, **_PLAIN))


def lean_jit(function: Kernel) -> Kernel:
    """Compile a function that makes no array, without reference counts.

    Else as `jit`. In a long loop over many arrays the counts, which are atomic,
    cost more than the work (traffic kernel: 0.23 s with them, 0.09 s without).
    """
    return _cached(function, _compiled(function, **_LEAN))


def inline_jit(function: Kernel) -> Kernel:
    """Compile a function into each of its callers, whichever file they are in.

    Else as `lean_jit`, but not cached alone. A call that is not inlined passes every array of its
    tuples on the stack, which costs more than most such functions. Python itself cannot call it:
    it has no entry for Python, and the process would die.
    """
    return cast(Kernel, _compiled(function, **_LEAN, forceinline=True, no_cpython_wrapper=True))


def _compiled(function: Kernel, **options: bool) -> Any:
    """Have numba compile a function once for all numbers, not once more for each number that a caller names.

    A variable that begins as 0 is such a number, too, until numba sees that it changes. Without this a fifth more
    is compiled of the traffic kernel (23 s, not 19 s); the instructions are the same.
    """
    compiled = _NUMBA.njit(**options)(function)
    if _CONFIG.DISABLE_JIT:
        return compiled
    find = compiled.get_call_template

    def find_plain(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        plain = {name: _UNLITERAL(kind) for name, kind in named.items()}
        return find(tuple(map(_UNLITERAL, arguments)), plain)

    compiled.get_call_template = find_plain
    return compiled


def _cached(function: Kernel, compiled: Any) -> Kernel:
    """Give a compiled function its cache on disk, if there can be one."""
    if not _CONFIG.DISABLE_JIT:
        with suppress(OSError, RuntimeError):
            compiled._cache = _KernelCache(function)
    return cast(Kernel, compiled)


def source_stamp(path: Path) -> str:
    """Hash a kernel file and all kernel files that it imports (SHA-256)."""
    digest = hashlib.sha256()
    for file in _closure(path):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _closure(path: Path) -> list[Path]:
    """List a file and the kernel files it reaches by imports, sorted."""
    found: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            stat = file.stat()
            waiting.extend(_imported(file, stat.st_mtime_ns, stat.st_size))
    return sorted(found)


@cache
def _imported(file: Path, _modified: int, _size: int) -> tuple[Path, ...]:
    """List the kernel files a file imports; time and size renew the memo."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node)
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    prefix = _PACKAGE + "."
    stems = {name.removeprefix(prefix).split(".")[0] for name in names if name.startswith(prefix)}
    files = (_FOLDER / f"{stem}.py" for stem in sorted(stems))
    return tuple(file.resolve() for file in files if file.is_file())


def _absolute(node: ast.ImportFrom) -> str:
    """Name the module of an import statement; relative ones are kernels."""
    if node.level == 0:
        return node.module or ""
    return f"{_PACKAGE}.{node.module}" if node.module else _PACKAGE


class _SourceLocator(_CACHING._CacheLocator):  # type: ignore[misc]
    """Place a kernel's cache in the user's folder, stamped by its sources."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._py_file = py_file
        self._name = f"{py_func.__code__.co_firstlineno}"
        folder = _CONFIG.CACHE_DIR or _USER_FOLDERS("citytwin", appauthor=False).user_cache_dir
        self._path = os.path.join(folder, self.get_suitable_cache_subpath(py_file))

    def get_cache_path(self) -> str:
        return str(self._path)

    def get_source_stamp(self) -> str:
        return source_stamp(Path(self._py_file))

    def get_disambiguator(self) -> str:
        return self._name

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "_SourceLocator | None":
        if not os.path.exists(py_file):
            return None
        locator = cls(py_func, py_file)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        return locator


class _KernelCacheImpl(_CACHING.CompileResultCacheImpl):  # type: ignore[misc]
    """Serialise compiled kernels, found by the source locator only."""

    _locator_classes = (_SourceLocator,)


class _KernelCache(_CACHING.FunctionCache):  # type: ignore[misc]
    """Keep compiled kernels on disk; a disk that fails costs only time."""

    _impl_class = _KernelCacheImpl

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()
