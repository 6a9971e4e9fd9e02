"""Commands about cities and data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from twin.city import City
    from twin.download import Holding

city = typer.Typer(help="List, show and build cities.", no_args_is_help=True)
data = typer.Typer(help="List and fetch the public data sets that scenarios use.", no_args_is_help=True)


@city.command("list")
def list_cities() -> None:
    """List the cities that come with the twin."""
    from twin.city.loading import embedded
    from twin.cli.console import say

    for name, path in embedded().items():
        say(f"{name}  ({path.name})")


@city.command("show")
def show_city(
    name: Annotated[str, typer.Argument(help="Embedded name, or folder of a built city.")],
    scale: Annotated[float, typer.Option("--scale", help="Size of a generated city.")] = 1,
) -> None:
    """Print what a city holds, and every problem found in it; exit code 2 when there is one."""
    from twin.city import load_city
    from twin.city.checks import faults, is_network_alone
    from twin.cli.console import say, show, working

    with working("loading the city"):
        found = load_city(name, scale=scale)
        problems = found.check()
    show(found.title, ("", ""), [(key, str(value)) for key, value in found.summary().items()])
    _tell_report(found.report)
    _tell_doubts(found)
    if is_network_alone(found):
        say("networks without streets: models that need streets or people do not run here")
    elif problems and not faults(found):
        say("sound as far as it goes; twin check says whether a scenario needs what a generated city has beyond it:")
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(2)


@city.command("build")
def build_city(
    source: Annotated[
        Path,
        typer.Argument(
            help="OpenStreetMap extract (.osm.pbf, .osm, .osm.gz), *_net.tntp, power grid (.json, .m) or water (.inp)."
        ),
    ],
    counts: Annotated[Path | None, typer.Option("--counts", help="CSV of traffic counts.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: the source's name, in the working folder.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="KEY=VALUE for the importer, for example timezone=Asia/Tokyo.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a city of another name in that folder.")] = False,
) -> None:
    """Build a city from a map or a network file, with a report of everything imputed."""
    from twin.city.build import import_city
    from twin.cli.console import say, show, working

    target = out or Path(source.name.partition(".")[0])
    options = _options(option or [])
    if not force:
        _spare_other_city(target, str(options.get("name") or source.name.partition(".")[0].removesuffix("_net")))
    with working(f"reading {source.name}"):
        found = import_city(source, options, counts)
        found.save(target)
    show(found.title, ("", ""), [(key, str(value)) for key, value in found.summary().items()])
    _tell_report(found.report)
    _tell_doubts(found)
    say(f"wrote {target}; use it as city: {{folder: {target}}}")


def _spare_other_city(folder: Path, name: str) -> None:
    """Raise CityError when the folder holds a city of another name; a damaged one may be replaced."""
    from twin.city.storage import MANIFEST, name_in
    from twin.errors import CityError

    if (folder / MANIFEST).is_file():
        kept = name_in(folder)
        if kept not in ("", name):
            raise CityError(
                f"{folder} holds the city {kept!r}, not {name!r}: "
                "give another folder with --out, or --force to replace it"
            )


def _tell_doubts(found: City) -> None:
    """Warn of what an import lacks."""
    from twin.city.doubts import doubts
    from twin.cli.console import say

    for doubt in doubts(found.report):
        say(f"warning: {doubt}")


def _options(texts: list[str]) -> dict[str, Any]:
    """Read KEY=VALUE words; numbers become numbers."""
    import json

    from twin.errors import DataError

    options: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (equals and key.isidentifier()):
            raise DataError(f"--option {text!r} must be KEY=VALUE")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def _tell_report(report: Any, lead: str = "") -> None:
    """Print an import report, nested counts indented."""
    from twin.cli.console import say

    for key, value in report.items():
        if isinstance(value, dict):
            say(f"{lead}{key}:")
            _tell_report(value, lead + "  ")
        else:
            say(f"{lead}{key}: {value}")


@data.command("list")
def list_data() -> None:
    """List data sets with their size, licence, and how much of them is here."""
    from twin import data as sets
    from twin.cli.console import say, show, working
    from twin.download import holdings

    with working("looking at the files that are here"):
        found = holdings()
    rows = [
        (h.dataset, f"{h.bytes / 1e6:,.1f}" if h.files else "", _present(h), h.licence, h.what)
        for h in sorted(found, key=lambda h: h.dataset)
    ]
    show(f"Data sets in {sets.root()}", ("name", ">MB", ">originals here", "licence", "what"), rows)
    silent = sorted(h.dataset for h in found if not h.stated)
    if silent:
        say(f"warning: no licence is stated for {', '.join(silent)}: ask the publisher before passing them on")


def _present(holding: Holding) -> str:
    return f"{holding.present} of {holding.files}" if holding.files else "no download"


@data.command("get")
def get_data(
    dataset: Annotated[str, typer.Argument(help="Name of a data set.")],
    yes: Annotated[bool, typer.Option("--yes", help="Consent to the licence without being asked.")] = False,
    server: Annotated[str | None, typer.Option("--server", help="Address of a server with the same paths.")] = None,
) -> None:
    """Fetch the originals of a data set after its licence is shown; goes on with a broken transfer."""
    from twin.cli.console import say, transfer
    from twin.download import get

    with transfer() as progress:
        files = get(dataset, lambda text: _agreed(text, yes), server=server, progress=progress)
    say("\n".join(str(path) for path in files))


def _agreed(text: str, yes: bool) -> bool:
    """Show terms and ask, unless consent was given; no answer, as from a script, is no consent."""
    from twin.cli.console import say

    say(text)
    if yes:
        return True
    try:
        return typer.confirm("Fetch under these terms?", default=False)
    except typer.Abort:
        return False


@data.command("path")
def path_of_data(
    dataset: Annotated[str, typer.Argument(help="Name of a data set.")],
    name: Annotated[str | None, typer.Argument(help="A file of it.")] = None,
) -> None:
    """Print where a data set, or a file of it, lies on this machine."""
    from twin import data as sets
    from twin.cli.console import say

    if name is not None:
        say(str(sets.path(dataset, name)))
        return
    sets.files_of(dataset)
    say(str(sets.root() / dataset))
