"""Text of a new scenario: it runs as it stands, and every other key waits as a comment."""

from __future__ import annotations

import json
from typing import cast

from twin.contract import Component, Option, Policy
from twin.registry import BUILT_IN, KINDS, Registry
from twin.scenario import keys
from twin.scenario.events import kinds_of
from twin.scenario.layers import embedded

SCHEMA_FILE = "twin.schema.json"
"""Name of the schema that `twin schema` writes beside scenarios, for editors."""

_WRITTEN = ("scenario", "title", "city", "start", "duration", "seed", "replications")
_COLUMN = 40
_PLAIN = ("closest_idle", "first_come", "fixed_time")
"""Policies that a new scenario names before others of their role: the simplest."""


def template(name: str = "my_scenario", registry: Registry = BUILT_IN) -> str:
    """Return the text of a new scenario.

    name  of the suite, a-z, 0-9 and _
    """
    table = {key.name: key for key in keys.TOP}
    values = {"scenario": name, "title": name.replace("_", " ").capitalize(), "replications": "2"}
    parts = [
        [f"# yaml-language-server: $schema={SCHEMA_FILE}", "# Check it: twin check FILE   Run it: twin run FILE"],
        [_line(f"{key}: {values.get(key, table[key].example)}", table[key].meaning) for key in _WRITTEN],
        [
            "# Start from another scenario and change only what differs.",
            f"# Embedded: {', '.join(embedded()) or 'none'}",
            "# base: other.yaml",
        ],
        _models(registry),
        _options(registry),
        _policies(registry),
        ["# What the command centre sees.", *_listed("feed", registry, live=bool(_awaited(registry)))],
        ["# What is recorded.", "# record: {every: 5 min, state: false}"],
        _events(registry),
        _arms(registry),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _line(text: str, meaning: str) -> str:
    return f"{text.ljust(_COLUMN - 2)}  # {meaning}"


def _roles(registry: Registry) -> dict[str, list[str]]:
    known = cast(dict[str, type[Policy]], registry.all("policy"))
    roles = sorted({policy.role for policy in known.values()})
    return {role: [name for name, policy in known.items() if policy.role == role] for role in roles}


def _components(registry: Registry) -> dict[str, type[Component]]:
    return {name: found for kind in KINDS for name, found in registry.all(kind).items()}


def _models(registry: Registry) -> list[str]:
    return ["# What runs; without this line every model the city has tables for.", *_listed("model", registry)]


def _awaited(registry: Registry) -> set[str]:
    """Return the roles that some model waits for."""
    return {role for found in registry.all("model").values() for role in found.waits_for}


def _listed(kind: str, registry: Registry, live: bool = False) -> list[str]:
    """List components that run as they are; name those with an option that has no default above them.

    live  the list counts as it stands; else it is a comment
    """
    parts = registry.all(kind)
    needy = [name for name, found in parts.items() if any(option.default is None for option in found.options)]
    ready = [name for name in parts if name not in needy]
    note = [f"# Also, once options without a default (...) have a value: {', '.join(needy)}"] if needy else []
    return [*note, f"{'' if live else '# '}{kind}s: [{', '.join(ready)}]"]


def _options(registry: Registry) -> list[str]:
    lines = ["# Options of components; the values shown are the defaults.", "# options:"]
    for name, found in _components(registry).items():
        if found.options:
            lines.append(f"#   {name}:")
            lines += [_option(option, 4) for option in found.options]
    return lines


def _option(option: Option, indent: int) -> str:
    unit = f" {option.unit}" if option.kind == "quantity" and option.unit != "1" else ""
    meaning = f"{option.meaning}; default: {option.parameter} of the city" if option.parameter else option.meaning
    return _line(f"# {' ' * indent}{option.name}: {_value(option)}{unit}", meaning)


def _value(option: Option) -> str:
    if option.default is None:
        return "..."
    if isinstance(option.default, float):
        return f"{option.default:g}"
    return json.dumps(option.default)


def _policies(registry: Registry) -> list[str]:
    awaited = _awaited(registry)
    lines = ["# Who decides what, by role.", "policy:" if awaited else "# policy:"]
    for role, names in sorted(_roles(registry).items(), key=lambda item: item[0] not in awaited):
        chosen = next((name for name in _PLAIN if name in names), names[0])
        lines.append(_line(f"{'' if role in awaited else '# '}  {role}: {chosen}", f"one of: {', '.join(names)}"))
    return lines


def _events(registry: Registry) -> list[str]:
    lines = [
        "# What happens. `at` is +2 h after the start, a local time, or HH:MM. `where` is all, or one of",
        "# {id: [...]}, {name: ...}, {street: ...}, {polygon: area.geojson}, {lon: ..., lat: ..., radius: 2 km}.",
        "# events:",
    ]
    for kind in kinds_of(_components(registry)).values():
        lines += [_line("#   - at: +1 h", kind.meaning), f"#     kind: {kind.name}"]
        if kind.target:
            lines.append(_line("#     where: all", f"which {kind.target}"))
        lines += [_option(param, 4) for param in kind.params]
    return lines


def _arms(registry: Registry) -> list[str]:
    lines = ["# What is compared: each arm is this scenario with changes. Arms share seeds, so pairs share luck."]
    lines.append("# arms:")
    role, names = next(((role, names) for role, names in _roles(registry).items() if len(names) > 1), ("", ["", ""]))
    for arm, name in zip(("A", "B"), names, strict=False):
        lines.append(f"#   {arm}: {{policy: {{{role}: {name}}}}}" if role else f"#   {arm}: {{}}")
    more = "# More arms: `vary` (unions and products), {sweep: [a, b]}, {range: ...}; then: twin expand FILE."
    return [*lines, "# compare: {baseline: A}", more]
