"""Let wntr read the elements of an .inp file, and look at what it does not: units of pressure, kinds of valves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twin.errors import CityError
from twin.models.water.inp_text import is_own_option, option, without
from twin.models.water.network import VALVE_KINDS
from twin.models.water.units import pressure_unit


def model_of(name: str, text: str, units: str) -> Any:
    """Return wntr's model of a file's text; raises CityError with wntr's words.

    name   of the file, for people
    units  of flow; wntr needs them before it reads limits of pressure
    """
    import tempfile
    import warnings

    import wntr

    reader = wntr.epanet.io.InpFile()
    for part in ("controls", "rules", "status", "emitters", "times"):
        setattr(reader, f"_read_{part}", lambda: None)
    read_options = reader._read_options

    def options() -> None:
        reader.flow_units = wntr.epanet.util.FlowUnits[units]
        lines = reader.sections["[OPTIONS]"]
        reader.sections["[OPTIONS]"] = [line for line in lines if not is_own_option(line[1])]
        read_options()

    reader._read_options = options
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "net.inp"
        copy.write_text(without(text, ("LEAKAGE", "ROUGHNESS")), encoding="utf-8")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return reader.read(str(copy))
        except Exception as error:
            told = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
            told = f"there is no {error}" if isinstance(error, KeyError) else told.replace(str(copy), name)
            told += _line_of(error, text) if isinstance(error, ValueError) else ""
            raise CityError(f"{name} cannot be read as an EPANET network: {told}") from error


def _line_of(error: Exception, text: str) -> str:
    """Return the first line of a file with the word that a conversion to a number quotes, "" where there is none."""
    for word in re.findall(r"'([^']+)'$", str(error)):
        for number, line in enumerate(text.splitlines(), 1):
            if word in line.partition(";")[0].split()[1:]:
                return f", in line {number}: {' '.join(line.split())}"
    return ""


def unit_of_pressure(sections: dict[str, list[list[str]]], flow: str) -> float:
    """Return the metres of the liquid in the file's unit of pressure."""
    gravity = [words[-1] for words in sections["OPTIONS"] if words[0].upper()[:4] == "SPEC"]
    return pressure_unit(option(sections, "PRESSURE"), flow, float(gravity[-1]) if gravity else 1.0)


def refuse_unknown(name: str, sections: dict[str, list[list[str]]]) -> None:
    """Raise CityError for an element that the twin cannot express and that cannot be left out."""
    kinds = {words[0]: words[4].upper() for words in sections["VALVES"] if len(words) > 4}
    for valve, kind in kinds.items():
        if kind not in VALVE_KINDS:
            raise CityError(f"{name}: valve {valve} is a {kind}; the twin knows {', '.join(VALVE_KINDS)}")
