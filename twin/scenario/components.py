"""Read which components run and with what options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twin.contract import Component, Option, Policy
from twin.errors import ContractError
from twin.registry import Registry
from twin.scenario.needs import check_carriers, check_needs, check_roles, drop_unfounded, lacking
from twin.scenario.paths import read_path
from twin.scenario.problems import Mark, Problems
from twin.scenario.tree import Node
from twin.scenario.values import is_path, read_names, read_value

if TYPE_CHECKING:
    from twin.city import City


@dataclass
class Cast:
    """The components of one arm.

    options   component -> option -> SI value, defaults filled in
    marks     component -> where it is named
    inline    component -> option -> node, given where the component is named
    files     paths among the options, as written
    """

    models: list[str] = field(default_factory=list)
    policies: dict[str, str] = field(default_factory=dict)
    feeds: list[str] = field(default_factory=list)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    classes: dict[str, type[Component]] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    inline: dict[str, dict[str, Node]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)

    def take(self, found: type[Component], mark: Mark, inline: Mapping[str, Node]) -> None:
        """Add a component and the options given beside its name."""
        self.classes[found.name] = found
        self.marks[found.name] = mark
        self.inline[found.name] = dict(inline)


def read_cast(tree: Node, city: City | None, registry: Registry, folder: Path, problems: Problems) -> Cast:
    """Return the models, policies and feeds of an arm with all their options."""
    chosen = Cast()
    _read_models(tree, city, registry, chosen, problems)
    _read_policies(tree, registry, chosen, problems)
    _read_feeds(tree, registry, chosen, problems)
    if city is not None:
        if tree.get("models") is None:
            drop_unfounded(chosen)
        check_needs(chosen, city, registry, problems)
        check_carriers(chosen, city, registry, problems)
    check_roles(tree, chosen, registry, problems)
    _read_options(tree, city, registry, chosen, folder, problems)
    return chosen


def fill(
    options: tuple[Option, ...],
    given: Mapping[str, Node],
    owner: str,
    mark: Mark,
    problems: Problems,
    city: City | None = None,
) -> tuple[dict[str, Any], list[Option]]:
    """Return the values of options and those that fell to their defaults.

    city  gives the parameters that come before defaults
    Unknown, unreadable and missing options are problems.
    """
    known = {option.name: option for option in options}
    for name, node in given.items():
        if name not in known:
            problems.add(node.mark, "E135", f"{owner} has no option {name!r}", known, name)
    values, defaulted = {}, []
    for name, option in known.items():
        if name in given:
            values[name] = read_value(given[name], option, problems)
        elif (own := option.given_by(city)) is not None:
            values[name] = own
        elif option.default is None:
            problems.add(mark, "E111", f"{owner} needs {name}: {option.meaning}")
        else:
            values[name] = option.default
            defaulted.append(option)
    return values, defaulted


def _read_models(tree: Node, city: City | None, registry: Registry, chosen: Cast, problems: Problems) -> None:
    known = registry.all("model")
    node = tree.get("models")
    if node is None:
        fits = [name for name, found in known.items() if _fits(found, tree, city)]
        named = [(name, tree.mark) for name in fits]
    else:
        named = [(entry.word, entry.mark) for entry in read_names(node, "models", problems)]
    for name, mark in named:
        if name not in known:
            problems.add(mark, "E131", f"no model is named {name!r}", known, name)
        elif name in chosen.models:
            problems.add(mark, "W202", f"model {name} stands twice")
        else:
            chosen.models.append(name)
            chosen.take(known[name], mark, {})


def _fits(found: type[Component], tree: Node, city: City | None) -> bool:
    """Tell whether a model runs unasked: the city has its tables, and no option it needs is missing."""
    options = tree.get("options")
    own = options.get(found.name) if options is not None else None
    given = dict(own.items()) if own is not None and own.is_mapping else {}
    asked = any(option.default is None and option.name not in given for option in found.options)
    return not asked and (city is None or not lacking(found, city))


def _read_policies(tree: Node, registry: Registry, chosen: Cast, problems: Problems) -> None:
    node = tree.get("policy")
    if node is None or not node.is_mapping:
        return
    known = cast(dict[str, type[Policy]], registry.all("policy"))
    roles = sorted({policy.role for policy in known.values()})
    for role, entry in node.items():
        fitting = [name for name, policy in known.items() if policy.role == role]
        name = entry.get("name")
        if role not in roles:
            problems.add(node.key_mark(role), "E134", f"no policy has the role {role!r}", roles, role)
        elif name is None:
            problems.add(entry.mark, "E111", f"policy of role {role} needs a name", fitting)
        elif name.word not in fitting:
            own = "is not known; one of your own needs --plugin FILE.py"
            what = "is of another role" if name.word in known else own
            problems.add(name.mark, "E132", f"policy {name.word!r} for {role} {what}", fitting, name.word)
        else:
            chosen.policies[role] = name.word
            chosen.take(known[name.word], name.mark, _beside(entry, "name"))


def _read_feeds(tree: Node, registry: Registry, chosen: Cast, problems: Problems) -> None:
    node = tree.get("feeds")
    if node is None or not node.is_list:
        return
    known = registry.all("feed")
    for entry in node.value:
        name = entry.get("feed")
        if name is None:
            problems.add(entry.mark, "E111", "an entry of feeds needs the name of a feed", known)
        elif name.word not in known:
            problems.add(name.mark, "E133", f"no feed is named {name.word!r}", known, name.word)
        elif name.word in chosen.feeds:
            problems.add(name.mark, "E133", f"feed {name.word} stands twice")
        else:
            chosen.feeds.append(name.word)
            chosen.take(known[name.word], name.mark, _beside(entry, "feed"))


def _beside(entry: Node, key: str) -> dict[str, Node]:
    return {name: node for name, node in entry.items() if name != key}


def _read_options(
    tree: Node, city: City | None, registry: Registry, chosen: Cast, folder: Path, problems: Problems
) -> None:
    node = tree.get("options")
    given = dict(node.items()) if node is not None and node.is_mapping else {}
    for name, entry in given.items():
        if name not in chosen.classes and not _is_known(name, registry):
            place = node.key_mark(name) if node else entry.mark
            problems.add(place, "E131", f"options of {name!r}: no component has that name", chosen.classes, name)
    for name, found in chosen.classes.items():
        own = given.get(name)
        mark = own.mark if own else chosen.marks[name]
        values = {**_entries(own, name, problems), **chosen.inline[name]}
        chosen.options[name], defaulted = fill(found.options, values, name, mark, problems, city)
        _note_paths(found.options, values, chosen, name, folder, problems)
        _note_defaults(name, len(found.options), defaulted, mark, problems)
        if city is not None:
            _note_city_defaults(found, defaulted, city, chosen.marks[name], problems)


def _note_paths(
    options: tuple[Option, ...], given: Mapping[str, Node], chosen: Cast, name: str, folder: Path, problems: Problems
) -> None:
    for option in options:
        if is_path(option) and option.name in given:
            text = read_path(given[option.name], option.name, folder, problems)
            chosen.options[name][option.name] = text
            if text:
                chosen.files.add(text)


def _note_defaults(name: str, total: int, defaulted: list[Option], mark: Mark, problems: Problems) -> None:
    if not defaulted:
        return
    physical = [option.name for option in defaulted if option.kind == "quantity"]
    listed = f", {len(physical)} of them quantities ({', '.join(physical)})" if physical else ""
    problems.add(mark, "W201", f"{name}: {len(defaulted)} of {total} options take their defaults{listed}")


def _entries(node: Node | None, name: str, problems: Problems) -> dict[str, Node]:
    if node is None:
        return {}
    if not node.is_mapping:
        problems.add(node.mark, "E105", f"options of {name} must be a mapping")
        return {}
    return dict(node.items())


def _is_known(name: str, registry: Registry) -> bool:
    for kind in ("model", "policy", "feed"):
        try:
            registry.get(kind, name)
        except ContractError:
            continue
        return True
    return False


def _note_city_defaults(
    found: type[Component], defaulted: list[Option], city: City, mark: Mark, problems: Problems
) -> None:
    """Count the values that a component takes because the city does not give them."""
    wanted = {group: list(defaults) for group, defaults in found.city_defaults.items()}
    for option in found.options:
        group, _, key = option.parameter.partition(".")
        if key:
            wanted.setdefault(group, []).append(key)
    settled = {option.parameter for option in found.options} - {option.parameter for option in defaulted}
    for group, keys in wanted.items():
        given = city.parameters.get(group)
        known = given if isinstance(given, Mapping) else {}
        missing = [key for key in keys if key not in known and f"{group}.{key}" not in settled]
        if missing:
            text = f"{found.name} takes its own values for {len(missing)} of {len(keys)} parameters"
            told = f"{text} of {group}, which city {city.name} does not give: {', '.join(missing)}"
            problems.add(mark, "W203", told)
