"""JSON schema of scenario files, made from the tables that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from twin import units
from twin.contract import Component, EventKind, Option, Policy
from twin.registry import BUILT_IN, Registry
from twin.scenario import keys
from twin.scenario.distributions import KINDS
from twin.scenario.events import kinds_of
from twin.scenario.importing import setting_options
from twin.scenario.keys import Key

Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = ["string", "number"]
_WORD: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_WORDS: Schema = {"anyOf": [_WORD, {"type": "array", "items": {"type": ["string", "number"]}}]}
_OPEN: Schema = {"$ref": "#/$defs/open"}
_DELTA: Schema = {"anyOf": [{"$ref": "#/$defs/delta"}, {"type": "null"}]}
_VARY: Schema = {
    "anyOf": [
        {"type": "array", "items": _DELTA, "minItems": 1},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/vary"}},
    ]
}
_TYPES = {"number": "number", "integer": "integer", "flag": "boolean", "text": "string", "path": "string"}


def schema(registry: Registry = BUILT_IN) -> Schema:
    """Return the JSON schema (draft 2020-12) of scenario files, for editors and other programs."""
    components = {name: found for kind in ("model", "policy", "feed") for name, found in registry.all(kind).items()}
    shapes = _shapes(registry, components)
    top = _object(keys.TOP, {**shapes, "arms": {"type": "object", "additionalProperties": _DELTA}})
    ways = [{"required": ["base"]}, {"required": top.pop("required")}]
    return {
        "$schema": _DRAFT,
        "title": "citytwin scenario",
        **top,
        "anyOf": ways,
        "$defs": {"delta": _delta(shapes), "vary": _VARY, "open": _open()},
    }


def _shapes(registry: Registry, components: Mapping[str, type[Component]]) -> dict[str, Schema]:
    """Return the schema of each key whose value is more than a word."""
    kinds = kinds_of(components)
    models = list(registry.all("model"))
    settings = {**setting_options("osm"), **setting_options("tntp")}
    scale = {"anyOf": [{"type": "number"}, _OPEN]}
    judged = {"type": "object", "additionalProperties": _object(keys.KPI, {"direction": _value(keys.DIRECTION)})}
    stages = {"first": _value(keys.FIRST), "cap": _value(keys.CAP)}
    return {
        "city": {"anyOf": [_WORD, _object(keys.CITY, {"scale": scale, "options": _options(settings.values())})]},
        "start": {"anyOf": [{"type": _PLAIN}, _OPEN]},
        "duration": {"anyOf": [{"type": _PLAIN}, _OPEN]},
        "seeds": {"type": "array", "items": _value(keys.SEED), "minItems": 1, "uniqueItems": True},
        "seed": _value(keys.SEED),
        "replications": {"anyOf": [_value(keys.REPLICATIONS), _object(keys.STAGES, stages)]},
        "models": {"type": "array", "items": {"enum": models}, "uniqueItems": True},
        "options": _closed({name: _options(found.options) for name, found in sorted(components.items())}),
        "policy": _policies(registry),
        "feeds": {"type": "array", "items": _feeds(registry)},
        "record": _object(keys.RECORD, {"every": {"anyOf": [_WORD, _OPEN]}, "state": _FLAG}),
        "events": {"type": "array", "items": {"anyOf": [_event(kind) for kind in kinds.values()] or [False]}},
        "compare": _object(keys.COMPARE, {"kpis": judged, "confidence": _value(keys.CONFIDENCE)}),
        "vary": {"$ref": "#/$defs/vary"},
        "expect": _WORDS,
    }


def _object(table: Sequence[Key], shapes: Mapping[str, Schema]) -> Schema:
    fields = {key.name: {"description": key.meaning, **shapes.get(key.name, {"type": _PLAIN})} for key in table}
    return {**_closed(fields), "required": [key.name for key in table if key.required]}


def _closed(fields: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(fields), "additionalProperties": False}


def _delta(shapes: Mapping[str, Schema]) -> Schema:
    """Return the schema of an arm, and of an entry of vary."""
    delta = _object([*(key for key in keys.TOP if key.in_arm), keys.LABEL], shapes)
    delta["required"] = []
    return delta


def _open() -> Schema:
    """Return the schema of a value that is left open: swept or drawn."""
    single = {"type": "array", "items": {"type": [*_PLAIN, "boolean"]}, "minItems": 1}
    swept = _object(keys.SWEEP, {"sweep": single, "range": _object(keys.RANGE, {})})
    drawn = _object(keys.DISTRIBUTION, {"distribution": {"enum": list(KINDS)}})
    return {"anyOf": [{**swept, "minProperties": 1, "maxProperties": 1}, drawn]}


def _value(option: Option) -> Schema:
    """Return the schema of one option; a quantity is text with a unit."""
    if option.kind == "choice":
        shape: Schema = {"enum": list(option.choices)}
    elif option.kind == "quantity":
        allowed = ", ".join(units.units_of(option.unit))
        bare = ["string", "number"] if option.unit == "1" else "string"
        return {"type": bare, "description": f"{option.meaning} [{allowed}]"}
    else:
        shape = {"type": _TYPES[option.kind]}
    if option.low is not None:
        shape["minimum"] = option.low
    if option.high is not None:
        shape["maximum"] = option.high
    if option.default is not None:
        shape["default"] = option.default
    return {**shape, "description": option.meaning}


def _options(options: Iterable[Option]) -> Schema:
    return _closed({option.name: {"anyOf": [_value(option), _OPEN]} for option in options})


def _policies(registry: Registry) -> Schema:
    known = cast(dict[str, type[Policy]], registry.all("policy"))
    roles = sorted({policy.role for policy in known.values()})
    return _closed(
        {
            role: {"anyOf": [*(_named("name", found) for found in known.values() if found.role == role), _OPEN]}
            for role in roles
        }
    )


def _feeds(registry: Registry) -> Schema:
    return {"anyOf": [_named("feed", found) for found in registry.all("feed").values()] or [False]}


def _named(key: str, found: type[Component]) -> Schema:
    """Return the schema of a component's name, alone or with options beside it."""
    written = _closed({key: {"const": found.name}, **_options(found.options)["properties"]})
    return {"anyOf": [{"const": found.name}, {**written, "required": [key]}]}


def _event(kind: EventKind) -> Schema:
    free: dict[str, Schema] = {key: {"type": [*_PLAIN, "array"]} for key in ("id", "name", "street", "polygon")}
    where = {"anyOf": [{"const": "all"}, _object(keys.WHERE, free)]}
    shape = _object(keys.EVENT, {"kind": {"const": kind.name}, "where": where})
    shape["properties"] |= _options(kind.params)["properties"]
    shape["required"] += [param.name for param in kind.params if param.default is None]
    return {**shape, "description": kind.meaning}
