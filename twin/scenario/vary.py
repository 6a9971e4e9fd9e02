"""Read `vary`: a list is the union of its deltas, a mapping the product of its axes, nested at will."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from twin.scenario import keys
from twin.scenario.layers import merge
from twin.scenario.problems import Problems
from twin.scenario.tree import IDENTITY, Node, leaves

UNCHANGED = "unchanged"
"""Name of an entry that changes nothing."""

WORD = re.compile(r"[A-Za-z0-9_]+")

_DEEPEST = 20
_LONGEST = 40
_OWN = ("label", "vary")
_ALLOWED = (*(replace(key, required=False) for key in keys.TOP if key.in_arm), keys.LABEL)

Path = tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """One way a scenario varies.

    parts   words that tell it from the others, outermost first
    layers  deltas to lay over the scenario, in this order
    """

    parts: tuple[str, ...] = ()
    layers: tuple[Node, ...] = ()

    def over(self, tree: Node) -> Node:
        """Return a scenario with this variant's deltas laid over it."""
        return reduce(merge, self.layers, tree)

    def then(self, other: Variant) -> Variant:
        """Return both, the other laid over this one."""
        return Variant(self.parts + other.parts, self.layers + other.layers)


def check_vary(node: Node, problems: Problems, depth: int = 0) -> bool:
    """Note everything wrong with a `vary`; tell whether it can be expanded."""
    before = problems.noted
    if depth > _DEEPEST:
        problems.add(node.mark, "E160", f"vary nests deeper than {_DEEPEST} levels")
    elif node.is_list:
        if not node.value:
            problems.add(node.mark, "E160", "vary has no entries: a list holds one delta or more")
        for entry in node.value:
            if entry.value is not None:
                check_delta(entry, "an entry of vary", problems, depth)
    elif node.is_mapping:
        for axis in node.value.values():
            check_vary(axis, problems, depth + 1)
        _check_apart(node, problems)
    else:
        problems.add(node.mark, "E105", "vary takes a list of deltas (union) or a mapping of axes (product)")
    return problems.noted == before


def check_delta(entry: Node, what: str, problems: Problems, depth: int = 0) -> bool:
    """Note everything wrong with the keys of a delta; tell whether it can be expanded."""
    before = problems.noted
    if keys.check_keys(entry, _ALLOWED, what, problems):
        label, inner = entry.get("label"), entry.get("vary")
        if label is not None and label.is_scalar and not WORD.fullmatch(str(label.value)):
            problems.add(label.mark, "E120", f"label ({label.value}) takes letters, digits and _ only")
        if inner is not None:
            check_vary(inner, problems, depth + 1)
    return problems.noted == before


def count(node: Node | None) -> int:
    """Return how many variants a checked `vary` makes, without making them."""
    if node is None:
        return 1
    if node.is_list:
        return sum(count(entry.get("vary")) for entry in node.value)
    return math.prod(count(axis) for axis in node.value.values())


def variants(node: Node | None) -> list[Variant]:
    """Return the variants of a checked `vary`, the last axis changing fastest."""
    if node is None:
        return [Variant()]
    if node.is_list:
        return [found for entry in node.value for found in _of_delta(entry)]
    found = [Variant()]
    for axis in node.value.values():
        found = [before.then(after) for before in found for after in variants(axis)]
    return found


def of_arm(name: str, delta: Node) -> list[Variant]:
    """Return the variants of a named arm: itself, or itself under each entry of its own `vary`."""
    own = Variant((name,), (without(delta, *_OWN),))
    return [own.then(inner) for inner in variants(delta.get("vary"))]


def without(tree: Node, *names: str) -> Node:
    """Return a mapping without some of its keys."""
    if not tree.is_mapping:
        return Node({}, tree.mark)
    return Node({key: node for key, node in tree.value.items() if key not in names}, tree.mark, tree.keys)


def word_of(path: Path, node: Node) -> str:
    """Return a word for a value at a path: the value of what names a thing, else key_value.

    >>> from twin.scenario.problems import Mark
    >>> word_of(("options", "traffic", "informed_share"), Node(0.4, Mark("")))
    'informed_share_0p4'
    """
    text = UNCHANGED if not path else path[-1]
    if node.is_list or node.is_mapping:
        return _clean(text)
    named = path[-1] if path else ""
    if named in IDENTITY or (named == "title" and node.value is not None):
        return _clean(str(node.value))
    return _clean(f"no_{text}" if node.value is None else f"{text}_{_value(node.value)}")


def _of_delta(entry: Node) -> list[Variant]:
    own = without(entry, *_OWN)
    label = entry.get("label")
    named = [word_of(path, node) for path, node in leaves(own) if path] if own.value else [UNCHANGED]
    word = str(label.value) if label is not None else _clean("_".join(named))
    first = Variant((word,), (own,))
    return [first.then(inner) for inner in variants(entry.get("vary"))]


def _value(value: Any) -> str:
    text = f"{value:.9g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
    text = re.sub(r"(?<=\d)\.(?=\d)", "p", text).replace("%", "pct")
    return re.sub(r"^-(?=\d)", "m", text)


def _clean(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", text.replace(" ", "")).strip("_")
    return plain[:_LONGEST].rstrip("_") or UNCHANGED


def _check_apart(node: Node, problems: Problems) -> None:
    """Note axes of a product that change one thing: then their order would matter."""
    seen: dict[Path, str] = {}
    for axis, below in node.value.items():
        own = set(_touched(below))
        for path in sorted(own):
            for other, first in seen.items():
                if path[: len(other)] == other or other[: len(path)] == path:
                    place = ".".join(path if len(path) < len(other) else other)
                    text = (
                        f"axes {first!r} and {axis!r} of vary both change {place}; write their combinations as a list"
                    )
                    problems.add(node.key_mark(axis), "E160", text)
                    return
        seen |= dict.fromkeys(own, axis)


def _touched(node: Node) -> Iterator[Path]:
    """Yield the paths that any variant of a `vary` changes."""
    if node.is_list:
        for entry in node.value:
            yield from (path for path in _places(without(entry, *_OWN)) if path)
            inner = entry.get("vary")
            if inner is not None:
                yield from _touched(inner)
    elif node.is_mapping:
        for axis in node.value.values():
            yield from _touched(axis)


def _places(node: Node, path: Path = ()) -> Iterator[Path]:
    """Yield the paths at which a delta replaces something."""
    whole = len(path) > 0 and bool(IDENTITY & {key for key, _ in node.items()}) if node.is_mapping else True
    if whole or not node.value:
        yield path
        return
    for key, child in node.value.items():
        yield from _places(child, (*path, key))
