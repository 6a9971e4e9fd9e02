"""Problems of a scenario: what is wrong, where, what is allowed, what to do next."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

CODES = {
    "E100": "a file cannot be found or read",
    "E101": "the text is not YAML",
    "E102": "a tag, alias or merge key: a scenario is plain data",
    "E103": "a key stands twice in one mapping",
    "E104": "a base refers back to itself",
    "E105": "a mapping, list or single value stands where another is wanted",
    "E110": "a key is not known",
    "E111": "a required key is missing",
    "E120": "a value is of the wrong kind",
    "E121": "a quantity has no unit",
    "E122": "a unit is not known or measures something else",
    "E123": "a value lies outside its range",
    "E124": "a number is not finite",
    "E125": "a value is not one of the choices",
    "E126": "a time cannot be read or does not exist",
    "E130": "a city cannot be found or loaded",
    "E131": "a model is not known",
    "E132": "a policy is not known, or is of another role",
    "E133": "a feed is not known",
    "E134": "a role or kind of event is not known",
    "E135": "an option or parameter is not known",
    "E136": "the city or the run lacks what a component needs",
    "E137": "a file that an option names, or the city, is not what a component can use",
    "E140": "the targets of an event cannot be found",
    "E141": "an event lies outside the run",
    "E150": "a comparison or expectation cannot be read",
    "E160": "what varies, or which replications, cannot be read",
    "E161": "a suite is too large",
    "W201": "options fell to their defaults",
    "W202": "a key has no effect",
    "W203": "the city does not give parameters, and a model takes values of its own",
    "W204": "a model waits for decisions, and no policy makes them",
    "W205": "an event of the scenario has no answer in this city",
    "W206": "a model is left out that would carry effects from one model to another",
    "W207": "an event lasts beyond the end of the run",
}
"""Meaning of each code; E is an error, W a warning."""

_LISTED = 12
_NEXT = {
    **dict.fromkeys(("E101", "E105"), "twin new example.yaml"),
    **dict.fromkeys(("E110", "E111", "E131", "E132", "E133", "E134", "E135", "E150"), "twin schema"),
    "E130": "twin city list",
}


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; line and column count from 1, 0 when there is none."""

    file: str
    line: int = 0
    column: int = 0

    @property
    def label(self) -> str:
        """Short name of the place, "file:line" without folders."""
        return f"{Path(self.file).name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario.

    allowed       values that would be accepted, as far as they can be listed
    nearest       the allowed value closest to what was written, or ""
    next_command  a command that helps, or ""
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    allowed: tuple[str, ...] = ()
    nearest: str = ""
    next_command: str = ""

    @property
    def is_error(self) -> bool:
        """Tell an error, which forbids a run, from a warning."""
        return self.code.startswith("E")

    def __str__(self) -> str:
        place = f"{shown(self.file)}:{self.line}:{self.column}" if self.line else shown(self.file)
        parts = [f"{place} [{self.code}] {self.message}"]
        if self.allowed:
            more = len(self.allowed) - _LISTED
            listed = ", ".join(self.allowed[:_LISTED])
            parts.append(f"allowed: {listed}{f' and {more} more' if more > 0 else ''}")
        if self.nearest:
            parts.append(f"nearest: {self.nearest}")
        if self.next_command:
            parts.append(f"next: {self.next_command}")
        return "; ".join(parts)


class Problems:
    """Collect problems while a scenario is read, each once.

    noted  calls of `add`, repeated problems included: tells whether a step found any
    """

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self.noted = 0

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    @property
    def has_errors(self) -> bool:
        """Tell whether any problem forbids a run."""
        return any(problem.is_error for problem in self)

    def add(
        self, mark: Mark, code: str, message: str, allowed: Iterable[str] = (), near: str = "", then: str = ""
    ) -> None:
        """Note a problem.

        allowed  values that would be accepted
        near     what was written; the closest allowed value is offered
        then     next command; "" takes the one that helps with the code
        """
        choices = tuple(allowed)
        self.noted += 1
        close = nearest(near, choices) if near else ""
        self._found[
            Problem(mark.file, mark.line, mark.column, code, message, choices, close, then or _NEXT.get(code, ""))
        ] = None

    def told(self, mark: Mark, code: str) -> bool:
        """Tell whether a problem of a code is noted at a place, by another arm for example."""
        place = (mark.file, mark.line, mark.column, code)
        return any((p.file, p.line, p.column, p.code) == place for p in self)

    def take(self, others: Problems) -> None:
        """Add the problems found elsewhere."""
        self._found.update(dict.fromkeys(others))

    def sorted(self) -> list[Problem]:
        """Return the problems by file and place, errors before warnings at one place."""
        return sorted(self, key=lambda p: (p.file, p.line, p.column, p.code, p.message))


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return the choice closest to a name, "" when none is close; case is ignored.

    >>> nearest("Jalan Sepakoo", ["Jalan Sepaku", "Jalan Nusantara"])
    'Jalan Sepaku'
    """
    folded = {choice.casefold(): choice for choice in choices}
    close = get_close_matches(name.casefold(), folded, 1, 0.5)
    return folded[close[0]] if close else ""


def shown(file: str) -> str:
    """Return a path relative to the working folder when it lies below it."""
    path = Path(file)
    if not path.is_absolute():
        return path.as_posix()
    relative = os.path.relpath(path)
    return path.as_posix() if relative.startswith("..") else Path(relative).as_posix()


def report(problems: Iterable[Problem], warnings_too: bool = True) -> str:
    """Return all problems as lines, or the errors alone, closed by a count of all."""
    listed = list(problems)
    errors = sum(problem.is_error for problem in listed)
    warnings = len(listed) - errors
    count = f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
    lines = [str(problem) for problem in listed if warnings_too or problem.is_error]
    return "\n".join([*lines, count])
