"""Where things are kept that can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Return the folder of a kind of things, such as `cities`: below TWIN_CACHE, or the user's cache."""
    chosen = os.environ.get("TWIN_CACHE")
    return (Path(chosen) if chosen else user_cache()) / kind


def user_cache() -> Path:
    """Return the program's folder in the user's cache (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "citytwin"
