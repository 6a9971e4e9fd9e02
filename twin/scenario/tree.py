"""Read YAML as plain data in which every value knows its file, line and column.

Only the syntax layer of PyYAML is used: nothing is constructed, so no tag can run code. Scalars
are read by the core schema of YAML 1.2 (section 10.3): `on` and `17:00` stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from twin.scenario.problems import Mark, Problems

Value = Any

IDENTITY = {"name", "folder", "osm", "tntp", "feed", "sweep", "range", "distribution"}
"""Keys that say which thing a mapping describes: another thing replaces the whole mapping."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
_WORDS: dict[str, Value] = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {"null", "bool", "int", "float", "str", "timestamp", "seq", "map", "value", "merge"}
_UNWRITABLE = re.compile(r"[\0\ud800-\udfff]")
_CORE = "tag:yaml.org,2002:"
_LONGEST_INTEGER = 300


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place.

    value  None, bool, int, float, str, a list of Nodes or a dict of Nodes
    keys   place of each key of a mapping
    """

    value: Value
    mark: Mark
    keys: dict[str, Mark] = field(default_factory=dict)

    @property
    def is_mapping(self) -> bool:
        """Tell whether the value is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Tell whether the value is a list."""
        return isinstance(self.value, list)

    @property
    def is_scalar(self) -> bool:
        """Tell whether the value is a single value, or none."""
        return not (self.is_mapping or self.is_list)

    @property
    def word(self) -> str:
        """Return a single value as text, "" for a mapping, a list or none."""
        return str(self.value) if self.is_scalar and self.value is not None else ""

    def get(self, key: str) -> Node | None:
        """Return the value of a key that is present and not null."""
        found = self.value.get(key) if self.is_mapping else None
        return found if found is not None and found.value is not None else None

    def items(self) -> list[tuple[str, Node]]:
        """Return the entries of a mapping whose value is not null."""
        return [(key, node) for key, node in self.value.items() if node.value is not None]

    def key_mark(self, key: str) -> Mark:
        """Return the place of a key, or of the mapping when the key is not in it."""
        return self.keys.get(key, self.mark)

    def plain(self) -> Value:
        """Return the value without places."""
        if self.is_mapping:
            return {key: node.plain() for key, node in self.items()}
        if self.is_list:
            return [node.plain() for node in self.value]
        return self.value


def leaves(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield every single value, list and empty mapping below a node, with its path."""
    if node.is_mapping and node.value:
        for key, child in node.value.items():
            yield from leaves(child, (*path, key))
    else:
        yield path, node


def read(text: str, file: str, problems: Problems) -> Node | None:
    """Parse a YAML text; None when it cannot be parsed or holds no mapping."""
    try:
        loader = _Loader(text, file, problems)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        node = None if root is None else _Reader(file, problems).node(root)
    except yaml.MarkedYAMLError as error:
        problems.add(_place(file, error.problem_mark or error.context_mark), "E101", _sentence(error))
        return None
    except yaml.YAMLError as error:
        problems.add(Mark(file, 1, 1), "E101", f"the text cannot be read: {str(error).splitlines()[0]}")
        return None
    except RecursionError:
        problems.add(Mark(file, 1, 1), "E101", "the text nests too deeply to be a scenario")
        return None
    if node is None or not node.is_mapping:
        place = Mark(file, 1, 1) if node is None else node.mark
        problems.add(place, "E105", "a scenario is a mapping of keys to values")
        return None
    return node


class _Loader(yaml.SafeLoader):
    """A loader that notes aliases instead of following them (a small text could grow without end)."""

    def __init__(self, text: str, file: str, problems: Problems) -> None:
        super().__init__(text)
        self._file = file
        self._problems = problems

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if not self.check_event(yaml.AliasEvent):
            return super().compose_node(parent, index)
        event: Any = self.get_event()  # type: ignore[no-untyped-call]
        self._problems.add(
            _place(self._file, event.start_mark), "E102", f"alias *{event.anchor}: write the value out, or use base"
        )
        return yaml.ScalarNode(f"{_CORE}null", "", event.start_mark, event.end_mark)


class _Reader:
    """Turn the syntax tree of one file into Nodes."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems

    def node(self, source: yaml.Node) -> Node:
        mark = _place(self._file, source.start_mark)
        tag = source.tag.removeprefix(_CORE)
        if tag not in _PLAIN_TAGS:
            self._problems.add(
                mark, "E102", f"tag {source.tag.replace(_CORE, '!!')}: a scenario is plain data and runs no code"
            )
            return Node(None, mark)
        if isinstance(source, yaml.MappingNode):
            return self._mapping(source, mark)
        if isinstance(source, yaml.SequenceNode):
            return Node([self.node(item) for item in source.value], mark)
        if _UNWRITABLE.search(source.value):
            self._problems.add(mark, "E120", "the text holds a character that no file can hold, such as \\0 or \\ud800")
            return Node(None, mark)
        plain = isinstance(source, yaml.ScalarNode) and source.style is None
        return Node(scalar(source.value) if plain else source.value, mark)

    def _mapping(self, source: yaml.MappingNode, mark: Mark) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        for key_node, value_node in source.value:
            place = _place(self._file, key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problems.add(place, "E105", "a key must be a single word")
                continue
            key = str(key_node.value)
            if _UNWRITABLE.search(key):
                self._problems.add(place, "E105", "a key holds a character that no file can hold")
                continue
            if key == "<<":
                self._problems.add(place, "E102", "merge key <<: use base")
                continue
            if key in keys:
                self._problems.add(place, "E103", f"key {key!r} stands twice, first in line {keys[key].line}")
            values[key], keys[key] = self.node(value_node), place
        return Node(values, mark, keys)


def scalar(text: str) -> Value:
    """Return the value of an unquoted scalar by the YAML 1.2 core schema."""
    lower = text.lower()
    if lower in _WORDS:
        return _WORDS[lower]
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text)
    if lower in _SPECIAL:
        return float(_SPECIAL[lower])
    return float(text) if _FLOAT.fullmatch(text) else text


def _place(file: str, mark: Any) -> Mark:
    return Mark(file, 1, 1) if mark is None else Mark(file, mark.line + 1, mark.column + 1)


def _sentence(error: yaml.MarkedYAMLError) -> str:
    context = f"{error.context}: " if error.context else ""
    return f"the text is not YAML: {context}{error.problem}"
