"""Write figures, units and names as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.stats import Figure


def number(value: float, signed: bool = False) -> str:
    """Return a number with three to four significant digits, for people.

    >>> number(1234.5), number(0.04321), number(-2.0, signed=True), number(float("nan"))
    ('1,234', '0.0432', '−2.00', '–')
    """
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    text = f"{value:+,.{digits}f}" if signed and value else f"{value:,.{digits}f}"
    return text.replace("-", "−")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless it is one.

    >>> counted(1, "future"), counted(20, "paired replication")
    ('1 future', '20 paired replications')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def figure_name(figure: Figure) -> str:
    """Return the name of a figure as words, without the unit that stands beside it."""
    return readable(figure.name.removesuffix(f"_{figure.unit.lower()}"))


def readable(name: str) -> str:
    """Return the name of a figure as words.

    >>> readable("response_p90"), readable("customer_minutes_lost")
    ('Response p90', 'Customer minutes lost')
    """
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def with_unit(value: float, figure: Figure) -> str:
    """Return a value of a figure with its unit; a share is written in per cent."""
    factor, unit = shown_unit(figure)
    return f"{number(factor * value)} {unit}".rstrip() if math.isfinite(value) else "–"


def difference_with_unit(value: float, figure: Figure) -> str:
    """Return a signed difference with its unit; of shares, in percentage points (pp)."""
    factor, unit = shown_unit(figure)
    return f"{number(factor * value, signed=True)} {difference_unit(unit)}".rstrip() if math.isfinite(value) else "–"


def difference_unit(unit: str) -> str:
    """Return the unit in which the difference of two values is shown.

    >>> difference_unit("%"), difference_unit("s")
    ('pp', 's')
    """
    return "pp" if unit == "%" else unit


def shown_unit(figure: Figure) -> tuple[float, str]:
    """Return the factor and unit in which a figure is shown to people."""
    if figure.unit == "1":
        return (100.0, "%") if figure.name.endswith("share") else (1.0, "")
    return 1.0, figure.unit
