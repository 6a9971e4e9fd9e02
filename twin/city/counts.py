"""Describe a file of traffic counts without interpreting it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from twin.errors import CityError


def describe_counts(path: Path) -> dict[str, Any]:
    """Return file name, number of rows and columns of a CSV with a header line.

    Raises CityError when the file is missing, empty or not text in columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            columns = next(reader, [])
            rows = sum(1 for row in reader if row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CityError(f"{path}: not readable as counts ({error}); give a CSV with a header line") from None
    if len(columns) < 2 or not rows:
        raise CityError(f"{path}: a counts file needs a header line with at least two columns, and rows")
    return {"file": path.name, "rows": rows, "columns": [name.strip() for name in columns]}
