"""The tree of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from twin.cli import asking, branching, expanding, files, places, reading, running

app = typer.Typer(
    name="twin",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def every(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    shown: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Run scenarios of a city twin, compare policies, ask why."""


@app.command()
def version() -> None:
    """Print the version."""
    from twin import __version__

    typer.echo(__version__)


_COMMANDS: tuple[Callable[..., None], ...] = (
    running.demo,
    running.run,
    running.resume,
    running.plan,
    expanding.expand,
    files.check,
    files.new,
    files.schema,
    asking.why,
    reading.compare,
    branching.branch,
    running.warmup,
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(reading.results, name="results")
app.add_typer(places.city, name="city")
app.add_typer(places.data, name="data")
