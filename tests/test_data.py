"""Data sets: found in either layout, fetched only with consent, whole or not at all."""

from __future__ import annotations

import doctest
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest

from twin import data, download
from twin.data import Licence, Source
from twin.errors import DataError

CONTENT = {"a/first part.csv": b"x" * 100_000 + b"end", "b/map.bin": bytes(range(256)) * 50}
COMMIT = "c" * 40


def source_of(path, name="", part=False, dataset="toy"):
    content = CONTENT[path]
    digest = hashlib.sha256(content).hexdigest()
    return Source(dataset, "someone/toys", COMMIT, path, len(content), digest, name or path.split("/")[-1], part)


class Server(ThreadingHTTPServer):
    """A file server on loopback; `faults` are taken one per request."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {f"/someone/toys/{COMMIT}/{path}": content for path, content in CONTENT.items()}
        self.requests = []
        self.faults = []
        self.ranges = True

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.requests.append((unquote(self.path), asked))
        content = self.server.files.get(unquote(self.path))
        if content is None:
            self.send_error(404)
            return
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        stop = self.server.faults.pop(0) if self.server.faults else len(content)
        self.wfile.write(content[first : max(first, stop)])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = (source_of("a/first part.csv", "part.csv", part=True), source_of("b/map.bin", "map_of_toys.bin"))
    monkeypatch.setattr(data, "sources", lambda: files)
    monkeypatch.setattr(data, "licences", lambda: {"toy": Licence("toy", "Toys", "MIT", True)})
    return tmp_path


def agree(_):
    return True


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_examples_in_docstrings_hold():
    assert doctest.testmod(data).failed == 0


def test_originals_arrive_whole_in_their_own_layout(server, folder):
    found = download.get("toy", agree, server.address)
    assert files_in(folder) == ["toy/a/first part.csv", "toy/b/map.bin"]
    assert [path.read_bytes() for path in found] == list(CONTENT.values())


def test_nothing_is_fetched_or_asked_twice(server, folder):
    download.get("toy", agree, server.address)
    server.requests.clear()
    assert len(download.get("toy", lambda _: pytest.fail("asked again"), server.address)) == 2
    assert server.requests == []


def test_a_local_copy_under_its_short_name_counts_when_it_is_whole(server, folder):
    (folder / "toy").mkdir()
    (folder / "toy/map_of_toys.bin").write_bytes(CONTENT["b/map.bin"])
    download.get("toy", agree, server.address)
    assert files_in(folder) == ["toy/a/first part.csv", "toy/map_of_toys.bin"]


def test_refusing_consent_fetches_nothing(server, folder):
    with pytest.raises(DataError, match="not agreed to"):
        download.get("toy", lambda _: False, server.address)
    assert server.requests == []
    assert files_in(folder) == []


def test_the_terms_show_licence_size_and_origin(folder):
    shown = download.terms("toy")
    assert "MIT" in shown
    assert "2 files, 0.11 MB" in shown
    assert "someone/toys@cccccccc" in shown
    assert "WARNING" not in shown


def test_a_set_without_a_licence_is_warned_of(folder, monkeypatch):
    monkeypatch.setattr(data, "licences", lambda: {"toy": Licence("toy", "Toys", "none stated", False)})
    assert "WARNING" in download.terms("toy")


def test_a_broken_transfer_goes_on_where_it_stopped(server, folder):
    server.faults = [40_000, 70_000]
    download.get("toy", agree, server.address)
    assert [asked for path, asked in server.requests if path.endswith("csv")] == [
        None,
        "bytes=40000-",
        "bytes=70000-",
    ]
    assert (folder / "toy/a/first part.csv").read_bytes() == CONTENT["a/first part.csv"]


def test_a_later_call_resumes_what_an_earlier_one_left(server, folder):
    server.faults = [30_000] * 4
    with pytest.raises(DataError, match="30000 of 100003 bytes came"):
        download.get("toy", agree, server.address)
    assert files_in(folder) == ["toy/a/first part.csv.tmp"]
    server.faults, server.requests = [], []
    download.get("toy", agree, server.address)
    assert server.requests[0][1] == "bytes=30000-"
    assert files_in(folder) == ["toy/a/first part.csv", "toy/b/map.bin"]


def test_a_server_without_ranges_starts_over(server, folder):
    server.ranges = False
    server.faults = [30_000]
    download.get("toy", agree, server.address)
    assert len(server.requests) == 3
    assert (folder / "toy/a/first part.csv").read_bytes() == CONTENT["a/first part.csv"]


def test_a_wrong_hash_keeps_nothing(server, folder):
    key = f"/someone/toys/{COMMIT}/a/first part.csv"
    server.files[key] = b"y" * len(server.files[key])
    with pytest.raises(DataError, match="not the file it should be"):
        download.get("toy", agree, server.address)
    assert files_in(folder) == []


def test_a_damaged_file_of_ours_is_replaced(server, folder):
    download.get("toy", agree, server.address)
    (folder / "toy/b/map.bin").write_bytes(b"damaged".ljust(len(CONTENT["b/map.bin"])))
    download.get("toy", agree, server.address)
    assert (folder / "toy/b/map.bin").read_bytes() == CONTENT["b/map.bin"]


def test_a_missing_original_names_its_address(server, folder):
    server.files.clear()
    with pytest.raises(DataError, match="answers 404"):
        download.get("toy", agree, server.address)


def test_an_absent_server_is_named(folder):
    with pytest.raises(DataError, match="check the network"):
        download.get("toy", agree, "http://127.0.0.1:9")


def test_only_web_addresses_are_servers(folder):
    with pytest.raises(DataError, match="http or https"):
        download.get("toy", agree, "file:///etc")


def test_the_server_can_be_set_by_the_environment(server, folder, monkeypatch):
    monkeypatch.setenv(download.SERVER_VARIABLE, server.address + "/")
    assert len(download.get("toy", agree)) == 2


def test_progress_counts_every_byte(server, folder):
    counted = []
    download.get("toy", agree, server.address, lambda name, count: counted.append((name, count)))
    assert sum(count for _, count in counted) == sum(map(len, CONTENT.values()))


def test_a_part_is_preferred_and_the_original_stands_in(folder):
    with pytest.raises(DataError, match="twin data get toy"):
        data.path("toy", "part.csv")
    original = folder / "toy/a/first part.csv"
    original.parent.mkdir(parents=True)
    original.write_bytes(b"")
    assert data.path("toy", "part.csv") == original
    (folder / "toy/part.csv").write_bytes(b"")
    assert data.path("toy", "part.csv") == folder / "toy/part.csv"


def test_an_unknown_set_gets_the_nearest_name(folder):
    with pytest.raises(DataError, match="did you mean 'toy'"):
        data.files_of("toys")


def test_paths_of_scenarios_are_found(folder, tmp_path):
    assert data.find("$TWIN_DATA/toy/part.csv") == folder / "toy/part.csv"
    assert data.find("counts.csv", tmp_path) == tmp_path / "counts.csv"
    assert data.find("package:twin/contract.py").is_file()
    with pytest.raises(DataError, match="not installed"):
        data.find("package:no_such_package/file.csv")


def test_a_home_of_nobody_is_a_data_error():
    with pytest.raises(DataError, match="no such user"):
        data.find("~nouser_of_this_name/x")


def test_recorded_sources_are_complete():
    data.sources.cache_clear()
    known = data.sources()
    assert len({(source.dataset, source.name) for source in known}) == len(known) == 100
    assert all(len(source.sha256) == 64 and len(source.commit) == 40 and source.bytes > 0 for source in known)
    assert {source.dataset for source in known} <= set(data.licences())


def test_sets_without_a_licence_are_marked():
    assert {name for name, licence in data.licences().items() if not licence.stated} == {"boroondara", "easynet_fvg"}


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get(data.VARIABLE), reason=f"{data.VARIABLE} names no folder with real data")
def test_real_files_are_whole_or_known_parts():
    there = [source for source in data.sources() if (data.root() / source.dataset / source.name).exists()]
    whole = [source for source in there if not source.part]
    assert whole
    for source in whole:
        assert download._whole(source) == data.root() / source.dataset / source.name


def test_a_set_that_no_command_fetches_says_where_it_is_published(folder, monkeypatch):
    here = "https://example.org/hand"
    monkeypatch.setattr(data, "licences", lambda: {"hand": Licence("hand", "By hand", "MIT", True, here)})
    told = f"copy it from {here} to {data.root() / 'hand'}, or set TWIN_DATA"
    for ask in (lambda: data.path("hand", "x.csv"), lambda: data.files_of("hand")):
        with pytest.raises(DataError) as error:
            ask()
        assert told in str(error.value)


def test_every_set_can_be_fetched_or_says_where_it_is_published():
    known = {source.dataset for source in data.sources()}
    assert {name for name, found in data.licences().items() if not found.published} <= known
    assert data.licences()["tntp"].published.endswith("bstabler/TransportationNetworks")
