"""Commands about scenario files: check, new, schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, cast

import typer

from twin.cli.running import Plugins

if TYPE_CHECKING:
    from twin.scenario.problems import Problem


def check(
    scenarios: Annotated[list[str], typer.Argument(help="Scenario files or embedded names.", metavar="FILE...")],
    plugin: Plugins = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="List every warning, not only how many.")] = False,
) -> None:
    """Print every problem of scenarios at once; exit code 2 when there is an error."""
    from twin.cli.console import say
    from twin.errors import ScenarioError
    from twin.scenario import load

    bad = False
    for name in scenarios:
        try:
            problems = load(name, plugin or []).check()
        except ScenarioError as error:
            say(_told(name, cast("Sequence[Problem]", error.problems), verbose) if error.problems else str(error))
            bad = True
            continue
        bad |= any(problem.is_error or strict for problem in problems)
        say(_told(name, problems, verbose) if problems else f"{name}: no problems")
    if bad:
        raise typer.Exit(2)


def _told(name: str, problems: Sequence[Problem], verbose: bool) -> str:
    """Write problems as lines, errors first; warnings of a code that are many as one line with their number."""
    from twin.scenario import report
    from twin.scenario.problems import CODES

    lines = report(problems).splitlines()
    errors = [line for line, one in zip(lines, problems, strict=False) if one.is_error]
    warnings: dict[str, list[str]] = {}
    for line, one in zip(lines, problems, strict=False):
        if not one.is_error:
            warnings.setdefault(one.code, []).append(line)
    folded = []
    for code, found in warnings.items():
        many = len(found) > 1 and not verbose
        more = f"{quote(name)} [{code}] {CODES[code]}: {len(found)} times; next: twin check --verbose {quote(name)}"
        folded += [more] if many else found
    return "\n".join([*errors, *folded, lines[-1]])


def new(
    name: Annotated[Path, typer.Argument(help="File to write, .yaml is added.")],
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Write a commented scenario to start from, and its schema for editors."""
    from twin.cli.console import say
    from twin.durable import write_whole
    from twin.errors import DataError
    from twin.scenario.schema import schema as make
    from twin.scenario.template import SCHEMA_FILE, template

    if not any(c.isalnum() for c in name.name):
        raise DataError(f"{str(name)!r} names no file; give a name such as flood_night.yaml")
    target = name if name.suffix in {".yaml", ".yml"} else name.with_name(name.name + ".yaml")
    if target.exists() and not force:
        raise DataError(f"{target} exists; choose another name, or --force to write over it")
    if not target.parent.is_dir():
        raise DataError(f"no folder {target.parent} to write {target.name} to")
    word = "".join(c if c.isascii() and c.isalnum() else "_" for c in target.stem.lower())
    text = template(word)
    write_whole(target, lambda file: file.write(text.encode()))
    beside = target.with_name(SCHEMA_FILE)
    if not beside.exists():
        write_whole(beside, lambda file: file.write(json.dumps(make()).encode()))
    say(f"wrote {target}; next: twin check {target}")


def schema(out: Annotated[Path | None, typer.Option("--out", help="File to write; else printed.")] = None) -> None:
    """Print the JSON schema of scenarios, for editors that complete and check YAML."""
    from twin.cli.console import say
    from twin.durable import write_whole
    from twin.scenario.schema import schema as make

    text = json.dumps(make(), indent=1, ensure_ascii=False)
    if out is None:
        say(text)
    else:
        write_whole(out, lambda file: file.write((text + "\n").encode()))
        say(f"wrote {out}")
