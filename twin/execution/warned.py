"""How warnings of a run are told: by the run they come from, without a line of code."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from twin.scenario import Case


class _Run(NamedTuple):
    """A run by its name, and what it was warned of: text, file and line."""

    name: str
    told: set[tuple[str, str, int]]


_RUN: ContextVar[_Run | None] = ContextVar("run", default=None)


@contextmanager
def telling_runs() -> Iterator[None]:
    """Name the run in what a model warns of inside `told_of`, also where runs go on in several threads.

    Each run tells a warning once, unless a filter of the user says otherwise. Warnings of other kinds than UserWarning
    keep their form: they are about code.
    """
    before = warnings.formatwarning

    def tell(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        run, what = _RUN.get(), (str(message), filename, lineno)
        if run is None or not issubclass(category, UserWarning):
            return before(message, category, filename, lineno, line)
        if what in run.told:
            return ""
        run.told.add(what)
        return f"warning: {run.name}: {message}\n"

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning, append=True)
        warnings.formatwarning = tell
        try:
            yield
        finally:
            warnings.formatwarning = before


@contextmanager
def told_of(case: Case) -> Iterator[None]:
    """Tell warnings as those of a case while it runs in this thread.

    What an earlier run was warned of is told again: the memory of warnings ends where its filters are touched.
    """
    token = _RUN.set(_Run(f"arm {case.arm}, replication {case.replication}", set()))
    try:
        with warnings.catch_warnings():
            yield
    finally:
        _RUN.reset(token)
