"""Files that are there whole or not at all, and folders that one process writes at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twin.errors import DataError, SnapshotError

LOCK = "writer.lock"
DRAFT = ".tmp"
_HELD = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN}


def write_whole(target: Path, write: Callable[[Any], Any], sync: bool = True) -> None:
    """Write a file so that it is there whole or not at all, also after a loss of power.

    write  called with a file open for bytes. The file is written beside the target, synced, renamed,
           and the folder that names it is synced.
    sync   False when the caller syncs many files at once with `sync_below`, before it counts on them
    Raises SnapshotError that says what the disk said; what was there before stays.
    """
    draft = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_native_id()}{DRAFT}")
    try:
        make_folder(target.parent)
        with open(draft, "wb") as file:
            write(file)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(draft, target)
        if sync:
            sync_folder(target.parent)
    except (OSError, ValueError) as error:
        reason = _disk_error(error)
        if reason is None:
            raise
        raise SnapshotError(
            f"cannot write {target}: {reason.strerror or reason}; free space or name another folder"
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _disk_error(error: BaseException | None) -> OSError | None:
    """Find what the disk said behind an error; zipfile hides it behind a ValueError of its own."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each name synced."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder; file systems that cannot are left as they are."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
    finally:
        os.close(number)


def sync_below(folder: Path, pattern: str) -> None:
    """Sync files below a folder, and the folders that name them; the first sync writes most of it.

    Raises SnapshotError that says what the disk said.
    """
    files = sorted(folder.rglob(pattern))
    try:
        for file in files:
            with open(file, "rb") as opened:
                os.fsync(opened.fileno())
        for place in sorted({file.parent for file in files}):
            sync_folder(place)
    except OSError as error:
        raise SnapshotError(f"cannot write {folder}: {error.strerror or error}; free space") from error


def clear_drafts(folder: Path) -> None:
    """Delete what writers that were killed left half written; the caller holds the folder's lock."""
    for draft in [path for path in folder.rglob(f"*{DRAFT}") if path.is_file()]:
        draft.unlink(missing_ok=True)


class FolderLock:
    """The right to write in a folder: a locked file that names its holder.

    The system frees the lock when its process ends, however it ends, so a file that a killed
    process left is no obstacle. Where the file system cannot lock, the file itself is the lock,
    and one whose process on this machine is gone is taken over.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is locked yet."""
        self.path = folder / LOCK
        self._file = -1

    def take(self) -> str:
        """Take the lock; return "" or who holds it.

        Raises DataError when the folder cannot be written.
        """
        try:
            make_folder(self.path.parent)
            while True:
                holder = self._try()
                if holder is not None:
                    return holder
        except OSError as error:
            raise DataError(
                f"cannot write to {self.path.parent}: {error.strerror or error}; name another folder"
            ) from error

    def is_held(self) -> bool:
        """Tell whether somebody writes in the folder; a glance, which may be old when it returns."""
        if not self.path.exists():
            return False
        holder = self.take()
        self.release()
        return bool(holder)

    def release(self) -> None:
        """Give the lock back."""
        if self._file >= 0:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1

    def _try(self) -> str | None:
        """Try once; None means that the file changed hands meanwhile."""
        number = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(number)
            if error.errno in _HELD:
                return _told(self.path) or "another process"
            return self._try_plain()
        if not _is_at(number, self.path):
            os.close(number)
            return None
        os.ftruncate(number, 0)
        os.write(number, _card())
        self._file = number
        return ""

    def _try_plain(self) -> str | None:
        """Try where nothing can be locked: who makes the file first has it."""
        if _is_stale(self.path):
            self.path.unlink(missing_ok=True)
        try:
            number = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return _told(self.path) or "another process"
        os.write(number, _card())
        self._file = number
        return ""


def _card() -> bytes:
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()


def _read_card(path: Path) -> tuple[int, str] | None:
    try:
        content = json.loads(path.read_text())
        return int(content["pid"]), str(content["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _told(path: Path) -> str:
    """Say who holds a lock, "" when the file does not tell."""
    card = _read_card(path)
    return f"process {card[0]} on {card[1]}" if card else ""


def _is_stale(path: Path) -> bool:
    """Tell whether a lock names a process of this machine that is gone, or nobody."""
    card = _read_card(path)
    if card is None:
        return True
    if card[1] != socket.gethostname():
        return False
    try:
        os.kill(card[0], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _is_at(number: int, path: Path) -> bool:
    """Tell whether an open file is still the one a path names."""
    try:
        here, there = os.fstat(number), os.stat(path)
    except FileNotFoundError:
        return False
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
