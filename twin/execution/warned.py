"""How warnings of a run are told: by the run they come from, without a line of code."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.scenario import Case


@contextmanager
def told_of(case: Case) -> Iterator[None]:
    """Name the arm and the replication in what a model warns of while its case runs in this process.

    What an earlier run was warned of is told again: the memory of warnings ends where its filters are touched.
    Warnings of other kinds than UserWarning keep their form: they are about code.
    """
    before = warnings.formatwarning

    def tell(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if issubclass(category, UserWarning):
            return f"warning: arm {case.arm}, replication {case.replication}: {message}\n"
        return before(message, category, filename, lineno, line)

    warnings.formatwarning = tell
    try:
        with warnings.catch_warnings():
            yield
    finally:
        warnings.formatwarning = before
