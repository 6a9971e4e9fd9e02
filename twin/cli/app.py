"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from twin.cli import files, places, reading, running

app = typer.Typer(
    name="twin",
    help="A city twin: run scenarios, compare policies, ask why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def every(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False) -> None:
    """A city twin: run scenarios, compare policies, ask why."""


@app.command()
def version() -> None:
    """Print the version."""
    from twin import __version__

    typer.echo(__version__)


for command in (running.demo, running.run, running.resume, running.plan, running.warmup):
    app.command()(command)
for command in (files.check, files.new, files.schema):
    app.command()(command)
app.command()(reading.why)
app.command()(reading.compare)
app.add_typer(reading.results, name="results")
app.add_typer(places.city, name="city")
app.add_typer(places.data, name="data")
