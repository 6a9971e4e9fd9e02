"""Read the text of an EPANET input file: its sections, and the lines that are read here rather than by wntr.

wntr reads elements. It stops at files that are not UTF-8 and at sections and options newer than it, and reads
speeds in [STATUS], [EMITTERS] and [TIMES] otherwise than EPANET does; so these are read here.

Source: EPANET 2.3, input1.c (adjustdata), input3.c (statusdata, changestatus, timedata); EPANET 2.2 Users
Manual, appendix C.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from twin.errors import CityError
from twin.models.water.inp_controls import seconds

_SECTIONS = (
    *("TITLE", "JUNCTIONS", "RESERVOIRS", "TANKS", "PIPES", "PUMPS", "VALVES", "EMITTERS", "CURVES", "PATTERNS"),
    *("ENERGY", "STATUS", "CONTROLS", "RULES", "DEMANDS", "QUALITY", "REACTIONS", "SOURCES", "MIXING", "TIMES"),
    *("OPTIONS", "REPORT", "COORDINATES", "VERTICES", "LABELS", "BACKDROP", "TAGS", "LEAKAGE", "ROUGHNESS", "END"),
)
"""EPANET knows a section by its first four letters."""

_LEFT_OUT = {
    "QUALITY": "water quality is not modelled",
    "REACTIONS": "water quality is not modelled",
    "SOURCES": "water quality is not modelled",
    "MIXING": "water quality is not modelled",
    "ENERGY": "the price of energy is not modelled",
    "LEAKAGE": "leakage along pipes is not modelled",
    "ROUGHNESS": "roughness belongs into [PIPES]",
}
_OWN_OPTIONS = ("UNIT", "PRES", "BACK")
_DAY = 86_400


def text_of(path: Path) -> str:
    """Return the text of a file, UTF-8 or else Latin-1, in which each section has the name wntr knows."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "\n".join(_headed(line) for line in text.splitlines())


def _headed(line: str) -> str:
    if not line.lstrip().startswith("["):
        return line
    word = line.split(maxsplit=1)[0].strip("[]").upper()
    return next((f"[{name}]" for name in _SECTIONS if word[:4] == name[:4]), line)


def without(text: str, sections: Iterable[str]) -> str:
    """Blank the lines of some sections, so that the others keep their line numbers."""
    lines, kept = [], True
    for line in text.splitlines():
        if line.startswith("["):
            kept = line.strip("[]") not in sections
        lines.append(line if kept else "")
    return "\n".join(lines)


def words_in(text: str) -> dict[str, list[list[str]]]:
    """Return the words of each line of each section, comments left out."""
    found: dict[str, list[list[str]]] = {name: [] for name in _SECTIONS}
    section = "TITLE"
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            if section == "END":
                break
        elif words := line.split(";")[0].split():
            found.setdefault(section, []).append(words)
    return found


def left_out(sections: dict[str, list[list[str]]]) -> dict[str, int]:
    """Return what the twin does not model: sentence -> number of lines."""
    return {f"section [{name}]: {why}": len(sections[name]) for name, why in _LEFT_OUT.items() if sections[name]}


def option(sections: dict[str, list[list[str]]], word: str) -> str:
    """Return the value of the last option that begins with a word, such as PRESSURE KPA; "" for none."""
    found = [words[-1].upper() for words in sections["OPTIONS"] if words[0].upper()[:4] == word[:4] and _plain(words)]
    return found[-1] if found else ""


def _plain(words: list[str]) -> bool:
    """Tell `PRESSURE KPA` from `PRESSURE EXPONENT 0.5`."""
    return len(words) > 1 and words[1].upper()[:4] != "EXPO"


def is_own_option(line: str) -> bool:
    """Tell whether a line of [OPTIONS] is read here: units of flow and pressure, backflow of emitters."""
    words = line.split(";", maxsplit=1)[0].split()
    return bool(words) and words[0].upper()[:4] in _OWN_OPTIONS and _plain(words)


def times_of(lines: list[list[str]]) -> dict[str, int]:
    """Return hydraulic_step, pattern_step, pattern_start, report_step, rule_step and start_clock, s.

    What a file does not say, or says is 0, is what EPANET then takes. Raises CityError for a time that cannot
    be read.
    """
    told: dict[str, int] = {}
    for words in lines:
        keys = [word.upper()[:4] for word in words]
        if len(words) > 1 and keys[0] in ("HYDR", "RULE", "PATT", "REPO", "STAR"):
            split = keys[0] in ("PATT", "REPO") and keys[1] == "STAR"
            told[keys[0] + " STAR" * split] = _time(words)
    pattern = told.get("PATT", 0) or 3600
    report = told.get("REPO", 3600) or pattern
    step = min(told.get("HYDR", 0) or 3600, pattern, report)
    return {
        "hydraulic_step": step,
        "pattern_step": pattern,
        "pattern_start": told.get("PATT STAR", 0),
        "report_step": report,
        "rule_step": max(min(told.get("RULE", 0) or step // 10, step), 1),
        "start_clock": told.get("STAR", 0) % _DAY,
    }


def _time(words: list[str]) -> int:
    """Read the time at the end of a line: `1`, `1:30`, `90 MIN`, `6 PM`."""
    last = words[-1]
    lone = last.replace(":", "").replace(".", "").isdigit()
    return int(seconds(last) if lone else seconds(words[-2], last))


def statuses_of(lines: list[list[str]], links: dict[str, str]) -> dict[str, tuple[str, float]]:
    """Return what [STATUS] says of links: name -> (OPEN, CLOSED or ACTIVE, setting in the file's units).

    links  name -> kind. A line may name a range of numbers. Raises CityError for a link that is not there.
    """
    found: dict[str, tuple[str, float]] = {}
    for words in lines:
        if len(words) < 2:
            raise CityError(f"[STATUS] needs a link and its status, not {' '.join(words)!r}")
        for name in [words[0]] if len(words) == 2 else _range(words, links):
            if name not in links:
                raise CityError(f"[STATUS] speaks of link {name}, which is not there")
            state = _status(words[-1], links[name])
            if links[name] != "cv" and state:
                found[name] = state
    return found


def _range(words: list[str], links: dict[str, str]) -> list[str]:
    """Return the links whose numbers lie between the first two words."""
    if not (words[0].isdigit() and words[1].isdigit()):
        raise CityError(f"[STATUS] {' '.join(words)!r}: a range needs two whole numbers")
    low, high = int(words[0]), int(words[1])
    return [name for name in links if name.isdigit() and low <= int(name) <= high]


def _status(word: str, kind: str) -> tuple[str, float] | None:
    """Return what a word makes of a link of a kind, None where it leaves it alone."""
    told = word.upper()
    if told in ("OPEN", "CLOSED"):
        return told, 1.0
    if told == "ACTIVE":
        return None
    try:
        value = float(word)
    except ValueError:
        raise CityError(f"[STATUS] {word!r} is neither OPEN nor CLOSED nor a number") from None
    if not 0.0 <= value < float("inf"):
        raise CityError(f"[STATUS] setting {word} must be a number from 0")
    if kind in ("pipe", "GPV"):
        return None
    if kind == "pump" and value == 0:
        return "CLOSED", 1.0
    return "OPEN" if kind == "pump" else "ACTIVE", value


def emitters_of(lines: list[list[str]], junctions: Iterable[str]) -> dict[str, float]:
    """Return the coefficient of each emitter in the file's units; raises CityError for one at no junction."""
    known, found = set(junctions), {}
    for words in lines:
        if words[0] not in known:
            raise CityError(f"[EMITTERS] speaks of junction {words[0]}, which is not there")
        try:
            found[words[0]] = float(words[1])
        except (IndexError, ValueError):
            raise CityError(f"[EMITTERS] {' '.join(words)!r} has no coefficient") from None
    return found
