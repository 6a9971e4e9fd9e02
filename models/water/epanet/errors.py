"""Name EPANET's error codes and say where they happened."""

from __future__ import annotations

from twin.errors import TwinError

NAMES: dict[int, str] = {
    101: "insufficient memory",
    102: "no network data to process",
    103: "hydraulic solver not opened",
    104: "no hydraulic results",
    105: "quality solver not opened",
    106: "no results to report",
    107: "cannot read hydraulics file",
    108: "hydraulics file exists already",
    109: "cannot change time parameter while the solver is open",
    110: "hydraulic equations cannot be solved",
    120: "quality equations cannot be solved",
    200: "errors in the input",
    201: "syntax error",
    202: "illegal numeric value",
    203: "undefined node",
    204: "undefined link",
    205: "undefined time pattern",
    206: "undefined curve",
    207: "a check valve cannot be controlled",
    208: "illegal limits of demand pressure",
    209: "illegal node property",
    210: "illegal curve property",
    211: "illegal link property",
    212: "undefined trace node",
    213: "illegal option",
    214: "too many characters in a line",
    215: "identifier used twice",
    216: "undefined pump",
    217: "illegal energy data of a pump",
    219: "illegal valve at a tank",
    220: "illegal valve next to another valve",
    221: "misplaced clause in a rule",
    222: "a link starts and ends at one node",
    223: "not enough nodes",
    224: "no tank or reservoir",
    225: "illegal levels of a tank",
    226: "a pump has neither curve nor power",
    227: "illegal head curve of a pump",
    230: "curve with x values out of order",
    231: "no tank curve in range",
    233: "a node has no link",
    234: "duplicate or undefined curve",
    235: "object cannot be deleted",
    240: "undefined source",
    241: "undefined control",
    250: "illegal format",
    251: "illegal parameter code",
    252: "illegal identifier",
    253: "undefined demand category",
    254: "no coordinates",
    255: "illegal link vertex",
    257: "undefined rule",
    258: "undefined clause of a rule",
    259: "a node with links cannot be deleted",
    260: "trace node cannot be deleted",
    261: "object belongs to a control",
    262: "network cannot change while a solver is open",
    263: "node is not a tank",
    264: "link is not a valve",
    299: "illegal option value",
    301: "two files have one name",
    302: "cannot open the input file",
    303: "cannot open the report file",
    304: "cannot open the output file",
    305: "cannot open the hydraulics file",
    306: "hydraulics file belongs to another network",
    307: "cannot read the hydraulics file",
    308: "cannot save results",
    309: "cannot save the report",
}
"""Codes of EPANET 2.3 in words. Source: its toolkit manual, Error Codes; words are the twin's."""

WARNINGS: dict[int, str] = {
    1: "not balanced within the allowed trials",
    2: "unstable: status changed until trials ran out",
    3: "nodes cut off from any source",
    4: "a pump cannot deliver its flow or head",
    5: "a valve cannot deliver its flow or pressure",
    6: "negative pressures",
}
"""Warning codes of a hydraulic solution. Source: toolkit manual, Warnings."""


class EpanetError(TwinError, RuntimeError):
    """EPANET refused an input or a call; `code` is its number, `place` what it is about."""

    def __init__(self, code: int, place: str, detail: str = "") -> None:
        self.code = code
        self.place = place
        told = f": {detail}" if detail else ""
        super().__init__(f"EPANET error {code} ({NAMES.get(code, 'unknown')}) at {place}{told}")
