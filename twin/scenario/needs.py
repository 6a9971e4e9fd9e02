"""Tell what components need that the city or the run lacks, and who is missing between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twin.contract import Component, Policy

if TYPE_CHECKING:
    from twin.city import City
    from twin.registry import Registry
    from twin.scenario.components import Cast
    from twin.scenario.problems import Problems
    from twin.scenario.tree import Node


def lacking(found: type[Component], city: City) -> list[str]:
    """Return the city tables and parameters that a component cannot do without, and the city lacks.

    These are those it requires, and the tables it keeps state for when the city has none of them.
    """
    from twin.assembly import plural
    from twin.city.schema import SCHEMA

    required = {name for name in found.requires if "." not in name}
    kept = {plural(owned.table.removeprefix("observed_")) for owned in found.owns} & SCHEMA.keys()
    if any(city.rows(table) for table in kept):
        kept = set()
    tables = sorted(table for table in required | kept if city.rows(table) == 0)
    return tables + [path for path in found.parameters if not city.gives(path)]


def _unowned(chosen: Cast) -> dict[str, list[str]]:
    """Return the required fields of each component that no component of the run owns."""
    owned = {owned.name for found in chosen.classes.values() for owned in found.owns}
    wanted = {
        name: [field for field in found.requires if "." in field and field not in owned]
        for name, found in chosen.classes.items()
    }
    return {name: fields for name, fields in wanted.items() if fields}


def drop_unfounded(chosen: Cast) -> None:
    """Leave out models chosen by default whose required fields nobody owns."""
    while unfounded := set(_unowned(chosen)) & set(chosen.models):
        for name in unfounded:
            chosen.models.remove(name)
            del chosen.classes[name]


def check_needs(chosen: Cast, city: City, registry: Registry, problems: Problems) -> None:
    """Note the components for which the city lacks a table or parameter, or the run a field."""
    for name, found in chosen.classes.items():
        missing = lacking(found, city)
        if missing:
            text = f"{name} needs what city {city.name} lacks: {', '.join(missing)}"
            problems.add(chosen.marks[name], "E136", text)
    for name, fields in _unowned(chosen).items():
        owners = sorted({owner for field in fields for owner in _owners(field, registry)})
        problems.add(chosen.marks[name], "E136", f"{name} needs {', '.join(owners or fields)}, not part of this run")


def check_carriers(chosen: Cast, city: City, registry: Registry, problems: Problems) -> None:
    """Warn of models left out of the run that would carry what one of its models does to another.

    Such a model could run: others own all fields that it requires, and the city has its tables.
    """
    running = {owned.name for found in chosen.classes.values() for owned in found.owns}
    for carrier, found in registry.all("model").items():
        source = [field for field in found.requires if "." in field]
        if carrier in chosen.classes or not source or not running.issuperset(source) or lacking(found, city):
            continue
        own = {owned.name for owned in found.owns} - running
        for name in chosen.models:
            missed = ", ".join(field for field in chosen.classes[name].reads if field in own)
            if missed:
                text = f"{name} reads {missed}, which {carrier} writes from {', '.join(source)}; without {carrier}"
                told = f"{text} in models it stays as it is when the run begins"
                problems.add(chosen.marks[name], "W206", told)


def check_roles(tree: Node, chosen: Cast, registry: Registry, problems: Problems) -> None:
    """Warn of roles that a model waits for and nobody fills; a policy that cannot be read is told elsewhere."""
    node = tree.get("policy")
    named = set(node.value) if node is not None and node.is_mapping else set()
    known = cast(dict[str, type[Policy]], registry.all("policy"))
    for name in chosen.models:
        for role, then in chosen.classes[name].waits_for.items():
            if role not in named:
                fitting = ", ".join(policy for policy, found in known.items() if found.role == role)
                text = f"nobody decides in role {role} for model {name}, so {then}; policy: {{{role}: ...}} takes"
                problems.add(chosen.marks[name], "W204", f"{text} {fitting}")


def _owners(field: str, registry: Registry) -> list[str]:
    known = [found for kind in ("model", "feed", "policy") for found in registry.all(kind).values()]
    return [found.name for found in known if any(owned.name == field for owned in found.owns)]
