"""Fetch original data files by repository, commit, path and SHA-256, with the user's consent.

A file that is there and whole is not fetched again; a broken transfer goes on where it stopped; a
file appears under its name only when its hash is right.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from twin import data
from twin.data import Source
from twin.errors import DataError

SERVER = "https://raw.githubusercontent.com"
SERVER_VARIABLE = "TWIN_DATA_SERVER"
_ATTEMPTS = 4
_CHUNK = 1 << 16
_TIMEOUT = 30
_RANGE_REFUSED = 416
_PARTIAL = 206

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Holding:
    """What is here of one data set.

    files, bytes  of its originals, 0 when their addresses are not recorded
    present       originals that are here, whole
    """

    dataset: str
    what: str
    licence: str
    stated: bool
    files: int
    bytes: int
    present: int


def holdings() -> list[Holding]:
    """Return what is known and what is here, for `twin data list`."""
    rows = []
    for licence in data.licences().values():
        files = [source for source in data.sources() if source.dataset == licence.dataset]
        present = sum(_whole(source) is not None for source in files)
        size = sum(source.bytes for source in files)
        rows.append(Holding(licence.dataset, licence.what, licence.licence, licence.stated, len(files), size, present))
    return rows


def terms(dataset: str, missing: Iterable[Source] | None = None) -> str:
    """Return what a user agrees to: licence, size, place; sets without a stated licence are warned of."""
    licence = data.licences()[dataset]
    wanted = list(data.files_of(dataset) if missing is None else missing)
    origins = sorted({f"{source.repository}@{source.commit[:8]}" for source in wanted})
    size = sum(source.bytes for source in wanted)
    lines = [
        f"{dataset}: {licence.what}",
        f"licence:  {licence.licence}",
        f"from:     {', '.join(origins)}",
        f"fetches:  {len(wanted)} files, {size / 1e6:.2f} MB, to {data.root() / dataset}",
    ]
    if not licence.stated:
        lines.append("WARNING:  the publisher states no licence: use it for local checks only, do not pass it on")
    return "\n".join(lines)


def get(
    dataset: str, consent: Callable[[str], bool], server: str | None = None, progress: Progress | None = None
) -> list[Path]:
    """Fetch what is missing of a data set and return all its files.

    consent   asked once with the licence's terms; not asked when nothing is missing
    server    base address; default TWIN_DATA_SERVER, else raw.githubusercontent.com
    progress  called with a file's name and the bytes that came
    Raises DataError when consent is refused, a server fails or a file is not what it should be.
    """
    files = data.files_of(dataset)
    missing = [source for source in files if _whole(source) is None]
    if missing and not consent(terms(dataset, missing)):
        raise DataError(f"{dataset} was not fetched: its terms were not agreed to")
    base = (server or os.environ.get(SERVER_VARIABLE) or SERVER).rstrip("/")
    if urlsplit(base).scheme not in {"http", "https"}:
        raise DataError(f"server {base!r} must be an http or https address")
    for source in missing:
        _fetch(source, base, progress)
    return [found for source in files if (found := _whole(source)) is not None]


def address(source: Source, server: str = SERVER) -> str:
    """Return the address of an original file."""
    return f"{server}/{source.repository}/{source.commit}/{quote(source.path)}"


def _whole(source: Source) -> Path | None:
    """Return where an original lies with the right size and hash, None when it does not."""
    for place in data.local_places(source):
        if place.is_file() and place.stat().st_size == source.bytes and _sha256(place) == source.sha256:
            return place
    return None


def _fetch(source: Source, base: str, progress: Progress | None) -> None:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    target = data.local_places(source)[0]
    part = target.with_name(target.name + ".tmp")

    def download(url: str, output: str, _: Any) -> None:
        _complete(url, part, source, progress)
        os.replace(part, output)

    try:
        pooch.retrieve(
            address(source, base), f"sha256:{source.sha256}", target.name, target.parent, downloader=download
        )
    except DataError:
        raise
    except ValueError as error:
        text = f"{address(source, base)} is not the file it should be: its SHA-256 is not {source.sha256}"
        raise DataError(f"{text}; nothing was kept") from error
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror or error}") from error


def _complete(url: str, part: Path, source: Source, progress: Progress | None) -> None:
    """Bring a partial file to its full length, asking only for what is missing."""
    reason: object = "the connection ended early"
    for _ in range(_ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        if have > source.bytes:
            part.unlink()
            have = 0
        if have == source.bytes:
            return
        try:
            _append(url, part, have, lambda count: progress(source.name, count) if progress else None)
        except urllib.error.HTTPError as error:
            if error.code != _RANGE_REFUSED:
                raise DataError(
                    f"{url} answers {error.code} {error.reason}; name another server with --server"
                ) from error
            part.unlink(missing_ok=True)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
    have = part.stat().st_size if part.exists() else 0
    if have != source.bytes:
        advice = "run the command again to go on" if have else "check the network, or name another server with --server"
        raise DataError(f"{url}: {have} of {source.bytes} bytes came ({reason}); {advice}")


def _append(url: str, part: Path, have: int, tell: Callable[[int], None]) -> None:
    """Append what follows the first `have` bytes; start over where the server cannot."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - checked
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - the scheme is checked in `get`
        goes_on = answer.status == _PARTIAL and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        with part.open("ab" if goes_on else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                tell(len(chunk))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
