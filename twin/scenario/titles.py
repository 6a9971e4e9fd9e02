"""The title of a scenario that lies over another and gives itself none."""

from __future__ import annotations

from twin.scenario.tree import IDENTITY, Node, leaves

_TOLD = 3
"""Changes that a title names; the rest is counted."""

_ARMS = ("arms", "vary")


def titled(delta: Node, below: Node, name_below: str) -> Node | None:
    """Return a title for a scenario without one: that of its base, and what it calls itself or else changes.

    name_below  title of a base that has neither a title nor a name
    None where it has a title, takes away that of its base, or changes nothing.
    """
    if "title" in delta.value:
        return None
    base = next((node.word for key in ("title", "scenario") if (node := below.get(key)) and node.word), name_below)
    own = delta.get("scenario")
    changed = own.word if own is not None else _changes(delta)
    return Node(f"{base}; {changed}", delta.mark) if changed else None


def _changes(delta: Node) -> str:
    """Return what a scenario changes, in few words."""
    told = list(dict.fromkeys(_told(path, node) for path, node in leaves(delta) if node.value != {}))
    more = [f"{len(told) - _TOLD} more changes"] if len(told) > _TOLD + 1 else []
    return ", ".join([*told[: _TOLD if more else _TOLD + 1], *more])


def _told(path: tuple[str, ...], node: Node) -> str:
    if path[0] in _ARMS and node.value is not None:
        return f"other {path[0]}"
    place = ".".join(path[:-1] if len(path) > 1 and path[-1] in IDENTITY else path)
    if node.value is None:
        return f"no {place}"
    return f"{place} {node.word}" if node.is_scalar else f"other {place}"
