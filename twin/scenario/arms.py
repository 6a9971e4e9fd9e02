"""Grow a scenario into its arms: named arms x `vary` x sweeps, each a whole scenario with a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from twin.scenario.problems import Mark, Problems
from twin.scenario.sweeps import MOST, check_distributions, sweeps_of, swept
from twin.scenario.tree import Node, leaves
from twin.scenario.vary import WORD, Variant, check_delta, check_vary, count, of_arm, variants, without

ONE_ARM = "base"
"""Name of the only arm of a scenario that compares nothing."""

RESERVED = ("cities", "export", "pictures")
"""Folders that results put beside those of the arms."""

_BETWEEN = "__"
_LONGEST = 120
_EMPTY = Node({}, Mark(""))


def grow(tree: Node, problems: Problems) -> dict[str, Node]:
    """Return the scenario as each arm changes it, by name; what cannot be grown is noted and left out.

    The last word of a name changes fastest.
    """
    shared = without(tree, "arms", "vary")
    arms, vary = _checked_arms(tree, problems), _checked_vary(tree, problems)
    total = max(sum(count(delta.get("vary")) for delta in arms.values()), 1) * count(vary)
    if total > MOST:
        problems.add((vary or tree).mark, "E161", f"the suite has {total} arms; at most {MOST}")
        return {ONE_ARM: shared}
    named = [found for name, delta in arms.items() for found in of_arm(name, delta)] or [Variant()]
    grown = [(one.parts, one.over(shared)) for one in (a.then(b) for a in named for b in variants(vary))]
    return _named(_sweep(grown, problems), min(len(arms), 1), problems)


def differences(trees: Mapping[str, Node]) -> dict[str, dict[str, str]]:
    """Return what tells each arm from the others: place -> value as written, "-" where it has none."""
    flat = {arm: _flat(tree) for arm, tree in trees.items()}
    places = dict.fromkeys(place for values in flat.values() for place in values)
    several = [place for place in places if len({values.get(place, "-") for values in flat.values()}) > 1]
    return {arm: {place: values.get(place, "-") for place in several} for arm, values in flat.items()}


def _checked_arms(tree: Node, problems: Problems) -> dict[str, Node]:
    """Return the deltas of named arms, none when there are no arms."""
    arms = tree.get("arms")
    found: dict[str, Node] = {}
    for name, delta in arms.value.items() if arms is not None and arms.is_mapping else ():
        _check_name(name, arms.key_mark(name) if arms else tree.mark, problems)
        if delta.value is None:
            found[name] = _EMPTY
        elif check_delta(delta, f"arm {name}", problems):
            found[name] = delta
        elif delta.is_mapping:
            found[name] = without(delta, "vary")
    return found


def _check_name(name: str, mark: Mark, problems: Problems) -> None:
    """Note a name that cannot be that of a folder of results, or is that of another one."""
    if not WORD.fullmatch(name):
        problems.add(mark, "E120", f"arm ({name}) takes letters, digits and _ only")
    elif len(name) > _LONGEST:
        problems.add(mark, "E123", f"an arm names a folder: at most {_LONGEST} letters, not {len(name)}")
    elif name.casefold() in RESERVED:
        told = f"arm ({name}) has the name of a folder of results; not to be used: {', '.join(RESERVED)}"
        problems.add(mark, "E120", told)


def _checked_vary(tree: Node, problems: Problems) -> Node | None:
    vary = tree.get("vary")
    return vary if vary is not None and check_vary(vary, problems) else None


def _sweep(grown: list[tuple[tuple[str, ...], Node]], problems: Problems) -> list[tuple[tuple[str, ...], Node]]:
    """Return the arms with their sweeps laid out, as long as they are not too many."""
    sweeps = [sweeps_of(tree, problems) for _, tree in grown]
    total = sum(math.prod(len(values) for _, values in found) for found in sweeps)
    if total > MOST:
        mark = next(values[0].mark for found in sweeps for _, values in found)
        problems.add(mark, "E161", f"sweeps make {total} arms; at most {MOST}")
        sweeps = [[(path, values[:1]) for path, values in found] for found in sweeps]
    for _, tree in grown:
        check_distributions(tree, problems)
    return [
        (parts + words, result)
        for (parts, tree), found in zip(grown, sweeps, strict=True)
        for words, result in swept(tree, found)
    ]


def _named(grown: list[tuple[tuple[str, ...], Node]], own: int, problems: Problems) -> dict[str, Node]:
    """Name arms by their words; variants of one arm that come out alike are one.

    own  words of each name that the user chose, 0 or 1: arms named by hand may be alike
    """
    found: dict[str, Node] = {}
    known: dict[tuple[tuple[str, ...], str], str] = {}
    for parts, tree in grown:
        name = _free(_BETWEEN.join(parts)[:_LONGEST].rstrip("_") or ONE_ARM, found)
        if not own:
            _check_name(name, tree.mark, problems)
        picture = (parts[:own], repr(_plain(tree)))
        if picture in known:
            problems.add(tree.mark, "W202", f"arm {name} is the same as arm {known[picture]}")
        else:
            known[picture] = name
            found[name] = tree
    return found


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free


def _plain(node: Node) -> Any:
    """Return a value with the order of keys left out, nulls gone."""
    if node.is_mapping:
        return sorted((key, _plain(child)) for key, child in node.items() if key != "title")
    return [_plain(child) for child in node.value] if node.is_list else node.value


def _flat(tree: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, node in leaves(tree):
        if node.is_list and path in {("events",), ("feeds",)}:
            for number, child in enumerate(node.value, 1):
                found |= {".".join((*path, str(number), *below)): str(leaf.plain()) for below, leaf in leaves(child)}
        elif node.value is not None:
            found[".".join(path)] = str(node.plain())
    return found
