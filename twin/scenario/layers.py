"""Find scenario files, and lay each one over the base it names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from twin.scenario.problems import Mark, Problems
from twin.scenario.titles import titled
from twin.scenario.tree import IDENTITY, Node, read


def embedded() -> dict[str, Path]:
    """Return the scenario files that come with the package, by name."""
    root = Path(str(resources.files("twin.scenarios")))
    found = [path for folder in (root, root / "suites") for path in sorted(folder.glob("*.yaml"))]
    return {path.stem: path for path in found}


def locate(name: str | Path, folder: Path | None = None) -> Path | None:
    """Return the file of a path (relative to a folder) or embedded name, None when there is none."""
    path = Path(name).expanduser()
    path = path if folder is None or path.is_absolute() else folder / path
    if path.is_file():
        return path.resolve()
    found = embedded().get(str(name))
    return None if found is None else found.resolve()


def layered(path: Path, problems: Problems, above: tuple[Path, ...] = ()) -> Node | None:
    """Read a scenario file and lay it over its bases; None when it cannot be read."""
    tree = _parsed(path, problems)
    base = None if tree is None else tree.get("base")
    if tree is None or base is None:
        return tree
    below = _base(path, base, problems, above)
    if below is None:
        return tree
    replaced = ("seed", "replications") if tree.get("seeds") else ("seeds",) if _counts_seeds(tree) else ()
    for key in replaced:
        below = _without(below, key)
    delta = _without(tree, "base")
    title = titled(delta, below, str(Path(base.value).stem))
    return merge(below if title is None else _with(below, "title", title), delta)


def merge(base: Node, delta: Node, nested: bool = False) -> Node:
    """Lay a delta over a base: mappings merge, lists and values replace, null removes.

    A nested mapping that names another city, policy or feed replaces the one below as a whole.
    """
    if not (base.is_mapping and delta.is_mapping):
        return delta
    if nested and IDENTITY & {key for key, _ in delta.items()}:
        return delta
    values, keys = dict(base.value), {**base.keys, **delta.keys}
    for key, node in delta.value.items():
        values[key] = merge(values[key], node, nested=True) if key in values else node
    return Node(values, delta.mark if delta.value else base.mark, keys)


def normal(tree: Node) -> Node:
    """Write short forms out: `city: x`, `policy: {role: x}`, `feeds: [x]` name a thing."""
    if not tree.is_mapping:
        return tree
    values = dict(tree.value)
    for key, change in (("city", _named), ("policy", _policies), ("feeds", _feeds), ("arms", _arms), ("vary", _vary)):
        if key in values:
            values[key] = change(values[key])
    return Node(values, tree.mark, tree.keys)


def _parsed(path: Path, problems: Problems) -> Node | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        problems.add(Mark(str(path)), "E100", f"the file cannot be read: {reason}")
        return None
    tree = read(text, str(path), problems)
    return None if tree is None else normal(tree)


def _base(path: Path, base: Node, problems: Problems, above: tuple[Path, ...]) -> Node | None:
    if not isinstance(base.value, str):
        problems.add(base.mark, "E105", "base takes the name of one scenario file")
        return None
    found = locate(base.value, path.parent)
    if found is None:
        names = [*embedded(), *(file.name for file in path.parent.glob("*.yaml") if file != path)]
        problems.add(base.mark, "E100", f"base {base.value!r} is not a file", names, base.value)
        return None
    chain = (*above, path)
    if found in chain:
        names = [file.name for file in (*chain[chain.index(found) :], found)]
        problems.add(base.mark, "E104", f"base refers back to itself: {' -> '.join(names)}")
        return None
    return layered(found, problems, chain)


def _counts_seeds(tree: Node) -> bool:
    return tree.get("seed") is not None or tree.get("replications") is not None


def _without(tree: Node, key: str) -> Node:
    return Node({name: node for name, node in tree.value.items() if name != key}, tree.mark, tree.keys)


def _with(tree: Node, key: str, node: Node) -> Node:
    return Node({**tree.value, key: node}, tree.mark, tree.keys)


def _named(node: Node, key: str = "name") -> Node:
    if isinstance(node.value, str):
        return Node({key: node}, node.mark, {key: node.mark})
    return node


def _policies(node: Node) -> Node:
    if not node.is_mapping:
        return node
    return Node({role: _named(entry) for role, entry in node.value.items()}, node.mark, node.keys)


def _feeds(node: Node) -> Node:
    if isinstance(node.value, str):
        return Node([_named(node, "feed")], node.mark)
    return Node([_named(entry, "feed") for entry in node.value], node.mark) if node.is_list else node


def _arms(node: Node) -> Node:
    if not node.is_mapping:
        return node
    return Node({name: normal(arm) for name, arm in node.value.items()}, node.mark, node.keys)


def _vary(node: Node) -> Node:
    if node.is_mapping:
        return Node({axis: _vary(entry) for axis, entry in node.value.items()}, node.mark, node.keys)
    return Node([normal(entry) for entry in node.value], node.mark) if node.is_list else node
