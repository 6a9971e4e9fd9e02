"""Values that a scenario leaves open: swept over arms, or drawn for each replication."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial

from twin.scenario import distributions, keys
from twin.scenario.distributions import read_quantity, written
from twin.scenario.problems import Problems
from twin.scenario.tree import Node
from twin.scenario.vary import word_of

MOST = 1000
"""Most values of one sweep, and most arms of a suite."""

Path = tuple[str, ...]
_Change = Callable[[Path, Node], Node | None]


def is_place(path: Path) -> bool:
    """Tell whether a single value of a run stands at a path, so that a sweep or distribution may.

    >>> is_place(("options", "traffic", "informed_share")), is_place(("options", "traffic"))
    (True, False)
    """
    deep = len(path)
    head = path[0] if path else ""
    if head in {"start", "duration"}:
        return deep == 1
    if head in {"record", "city"}:
        return deep == (3 if path[1:2] == ("options",) else 2)
    if head == "policy":
        return deep in {2, 3}
    if head == "events" and path[2:3] == ("where",):
        return deep == 4
    return head in {"options", "feeds", "events"} and deep == 3


def sweeps_of(tree: Node, problems: Problems) -> list[tuple[Path, list[Node]]]:
    """Return the swept places of a tree with their values; wrong ones are noted and left out."""
    found = []
    for path, node in _open_places(tree):
        if "distribution" not in node.value:
            values = _values(node, ".".join(path), problems)
            if values:
                found.append((path, values))
    return found


def check_distributions(tree: Node, problems: Problems) -> bool:
    """Note everything wrong with distributions; tell whether a tree has any that can be drawn."""
    read = [distributions.read(node, ".".join(path), problems) for path, node in _open_places(tree)
            if "distribution" in node.value]  # fmt: skip
    return any(found is not None for found in read)


def swept(tree: Node, sweeps: list[tuple[Path, list[Node]]]) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield each combination of swept values: words for it, and the tree with the values in place."""
    for values in itertools.product(*(found for _, found in sweeps)):
        chosen = {path: value for (path, _), value in zip(sweeps, values, strict=True)}
        words = tuple(_word(path, value) for path, value in chosen.items())
        yield words, _changed(tree, partial(_take, chosen))


def drawn(tree: Node, seed: int) -> tuple[Node, dict[str, str]]:
    """Return a tree with a value drawn at the place of each distribution, and what was drawn where.

    The luck of a place is keyed by seed and place: all arms of a replication share it.
    """
    told: dict[str, str] = {}

    def draw(path: Path, node: Node) -> Node | None:
        if "distribution" not in node.value:
            return None
        place = ".".join(path)
        found = distributions.read(node, place, Problems())
        if found is None:
            return None
        value = distributions.draw(found, seed, place)
        told[place] = written(value, found.unit)
        return Node(value if not found.unit else told[place], node.mark)

    return _changed(tree, draw), told


def _take(chosen: dict[Path, Node], path: Path, node: Node) -> Node | None:
    if "distribution" not in node.value:
        return chosen.get(path)
    return None if distributions.read(node, "", Problems()) is None else node


def _word(path: Path, value: Node) -> str:
    return word_of(("name",) if path[0] == "policy" and len(path) == 2 else path, value)


def _open_places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every mapping that stands where a single value does and leaves it open."""
    if _is_open(node, path):
        yield path, node
    elif node.is_mapping:
        for key, child in node.value.items():
            yield from _open_places(child, (*path, key))
    elif node.is_list and path[:1] in {("feeds",), ("events",)} and len(path) == 1:
        for number, child in enumerate(node.value):
            yield from _open_places(child, (*path, str(number)))


def _is_open(node: Node, path: Path) -> bool:
    return node.is_mapping and is_place(path) and any(node.get(key) is not None for key in keys.GENERATORS)


def _changed(node: Node, change: _Change, path: Path = ()) -> Node:
    """Return a tree with its open places replaced; None leaves a place out."""
    if node.is_list and len(path) == 1:
        return Node([_changed(child, change, (*path, str(n))) for n, child in enumerate(node.value)], node.mark)
    if not node.is_mapping:
        return node
    values = {}
    for key, child in node.value.items():
        place = (*path, key)
        found = change(place, child) if _is_open(child, place) else _changed(child, change, place)
        if found is not None:
            named = path == ("policy",) and found.is_scalar and found.value is not None
            values[key] = Node({"name": found}, found.mark, {"name": found.mark}) if named else found
    return Node(values, node.mark, node.keys)


def _values(node: Node, place: str, problems: Problems) -> list[Node]:
    """Return the values of a sweep or range, none after noting a problem."""
    before = problems.noted
    keys.check_keys(node, keys.SWEEP, place, problems)
    if problems.noted == before and len(node.items()) != 1:
        problems.add(node.mark, "E160", f"{place} takes exactly one of its ways to vary", keys.GENERATORS)
    if problems.noted > before:
        return []
    entries, span = node.get("sweep"), node.get("range")
    if span is not None:
        return _range(span, f"range of {place}", problems)
    values = entries.value if entries is not None else []
    if not values or any(not entry.is_scalar or entry.value is None for entry in values):
        problems.add(node.mark, "E160", f"sweep of {place} takes a list of one single value or more")
        return []
    return _unique(values, place, problems)


def _unique(values: list[Node], place: str, problems: Problems) -> list[Node]:
    found: dict[tuple[type, object], Node] = {}
    for entry in values:
        key = (type(entry.value), entry.value)
        if key in found:
            problems.add(entry.mark, "W202", f"{entry.value} stands twice in the sweep of {place}")
        found.setdefault(key, entry)
    return list(found.values()) if _fits(len(found), place, values[0], problems) else []


def _fits(number: int, place: str, node: Node, problems: Problems) -> bool:
    if number > MOST:
        problems.add(node.mark, "E161", f"{place} takes {number:.12g} values; at most {MOST}")
    return number <= MOST


def _range(node: Node, what: str, problems: Problems) -> list[Node]:
    """Return evenly spaced values from one end to the other, both included where the step meets it."""
    before = problems.noted
    keys.check_keys(node, keys.RANGE, what, problems)
    read = {key: read_quantity(entry, f"{key} of {what}", problems) for key, entry in node.items()}
    if problems.noted > before:
        return []
    known = {key: value for key, value in read.items() if value is not None}
    units = {unit for key, (_, unit) in known.items() if key != "count"}
    (begin, unit), (end, _) = known["from"], known["to"]
    if len(units) > 1:
        problems.add(node.mark, "E122", f"{what} must be written in one unit, not {' and '.join(sorted(units))}")
    elif ("count" in known) == ("step" in known):
        problems.add(node.mark, "E160", f"{what} takes either count or step", ("count", "step"))
    elif not begin < end:
        problems.add(node.mark, "E123", f"{what}: from ({begin:g}) must be less than to ({end:g})")
    else:
        return _spaced(node, known, what, unit, problems)
    return []


def _spaced(node: Node, known: dict[str, tuple[float, str]], what: str, unit: str, problems: Problems) -> list[Node]:
    begin, end = known["from"][0], known["to"][0]
    if "count" in known:
        wanted, own = known["count"]
        if own or wanted != math.floor(wanted) or wanted < 2:
            problems.add(node.mark, "E123", f"count of {what} must be a whole number, 2 or more")
            return []
        number, step = int(wanted), (end - begin) / (wanted - 1)
    else:
        step = known["step"][0]
        if step <= 0:
            problems.add(node.mark, "E123", f"step of {what} ({step:g}) must be more than 0")
            return []
        number = math.floor(min((end - begin) / step, 1e12) + 1e-9) + 1
    if not _fits(number, what, node, problems):
        return []
    whole = all(isinstance(known[key][0], int) for key in known if key != "count") and step == int(step)
    values = [begin + step * i for i in range(number)]
    exact: list[float] = [int(value) for value in values] if whole else [float(f"{value:.12g}") for value in values]
    return [Node(written(value, unit) if unit else value, node.mark) for value in exact]
