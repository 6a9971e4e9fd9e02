"""Name EPANET's error codes and say where they happened."""

from __future__ import annotations

from twin.errors import TwinError

ERRORS: dict[int, tuple[str, str]] = {
    1: ("hydraulically unbalanced", "allow more trials or a rougher accuracy"),
    2: ("hydraulically unstable", "look for valves and pumps whose states depend on each other"),
    3: ("disconnected nodes", "open a way from a source"),
    4: ("a pump cannot deliver its flow or head", "look at its curve and at what it lifts to"),
    5: ("a valve cannot deliver its flow", "look at its setting and at the pressure before it"),
    6: ("negative pressures", "let demands follow pressure, or supply more head"),
    101: ("insufficient memory", "free memory or run fewer worlds at once"),
    102: ("no network data", "open a network before asking of it"),
    103: ("hydraulic solver not opened", "open the hydraulic solver first"),
    104: ("no hydraulics for water quality", "water quality is not modelled: leave it out"),
    105: ("quality solver not opened", "water quality is not modelled: leave it out"),
    106: ("no results saved to report on", "read results from the twin"),
    107: ("hydraulics come from an external file", "solve anew in place of a file of hydraulics"),
    108: ("no external file while the hydraulics solver is active", "close the solver first"),
    109: ("no change of a time parameter while the solver is open", "close the solver first"),
    110: (
        "hydraulic equations cannot be solved",
        "look for parts cut off from every source, and for impossible sizes there",
    ),
    120: ("quality equations cannot be solved", "water quality is not modelled: leave it out"),
    200: ("errors in the input file", "mend the lines that are named"),
    201: ("syntax error", "write the line as the manual of EPANET has it"),
    202: ("illegal numeric value", "give a number within the limits of its kind"),
    203: ("undefined node", "correct the name or add the node"),
    204: ("undefined link", "correct the name or add the link"),
    205: ("undefined time pattern", "correct the name or add the pattern"),
    206: ("undefined curve", "correct the name or add the curve"),
    207: ("no control of a link with a check valve (CV) or curve (GPV)", "command another link"),
    208: ("illegal pressure limits of demands (PDA)", "let the required pressure exceed the least by 0.1 m or more"),
    209: ("illegal node property", "give a value within the limits of the property"),
    210: ("illegal property of a curve", "give a value within the limits of the property"),
    211: ("illegal link property", "give a value within the limits of the property"),
    212: ("undefined trace node", "water quality is not modelled: leave it out"),
    213: ("illegal option value", "give a value the option allows"),
    214: ("too many characters in an input line", "split or shorten the line"),
    215: ("duplicate ID", "rename one of the two"),
    216: ("undefined pump", "correct the name or add the pump"),
    217: ("illegal energy data of a pump", "leave out prices and efficiencies: the twin does not use them"),
    218: ("undefined property", "report this: the twin should not ask for it"),
    219: ("illegal connection of a valve to a tank node", "put a short pipe between the valve and the tank"),
    220: ("illegal connection of a valve to another valve", "put a short pipe between the valves"),
    221: ("misplaced clause in a rule-based control", "begin with RULE, IF and THEN in this order"),
    222: ("a link with the same start and end node", "give the link two nodes"),
    223: ("not enough nodes", "add a junction and a source"),
    224: ("no tanks or reservoirs", "add a source"),
    225: ("illegal lower or upper levels of a tank", "keep the level between the lowest and the highest"),
    226: ("a pump with neither head curve nor power", "give the pump a curve or a power"),
    227: ("illegal head curve of a pump", "let the head fall as the flow rises"),
    230: ("a curve whose x-values do not increase", "sort its points and drop doubles"),
    231: ("a curve without data", "give the curve its points"),
    232: ("a pattern without data", "give the pattern its multipliers"),
    233: ("unconnected nodes in the network", "join the nodes by a pipe or take them out"),
    234: ("an unconnected node", "join the node by a pipe or take it out"),
    235: ("no deletion of an object in use", "take out what uses it first"),
    240: ("undefined source", "water quality is not modelled: leave it out"),
    241: ("undefined control", "correct the number of the control"),
    250: ("illegal format", "write the value as the manual of EPANET has it"),
    251: ("illegal parameter code", "report this: the twin should not ask for it"),
    252: ("illegal ID name", "use an identifier without blanks of at most 31 characters"),
    253: ("undefined category of demand", "correct the number of the category"),
    254: ("a node without coordinates", "give the node coordinates"),
    255: ("illegal vertex of a link", "take the vertex out"),
    257: ("undefined rule", "correct the number of the rule"),
    258: ("undefined clause of a rule", "correct the number of the clause"),
    259: ("no deletion of a node with links", "take out its links first"),
    260: ("no deletion of a trace node", "water quality is not modelled: leave it out"),
    261: ("no deletion of a node or link in a control", "take out the control first"),
    262: ("no change of the network while the solver is active", "close the solver first"),
    263: ("the node is not a tank", "name a tank"),
    264: ("the link is not a valve", "name a valve"),
    299: ("unknown section keyword", "correct the heading of the section"),
    301: ("identical names of two files", "give each file its own name"),
    302: ("cannot open the input file", "look for the file and the right to read it"),
    303: ("cannot open the report file", "look for room and the right to write in the folder of temporary files"),
    304: ("cannot open the output file", "look for room and the right to write in the folder of temporary files"),
    305: ("cannot open the hydraulics file", "look for room and the right to write in the folder of temporary files"),
    306: ("the hydraulics file does not match the network", "solve anew in place of a file of hydraulics"),
    307: ("cannot read the hydraulics file", "solve anew in place of a file of hydraulics"),
    308: ("cannot save results to a file", "look for room and the right to write in the folder of temporary files"),
    309: (
        "cannot save results to the report file",
        "look for room and the right to write in the folder of temporary files",
    ),
}
"""Codes of EPANET 2.3: what is wrong, and what to do; 1 to 6 are warnings.

Source: its errors.dat (EN_geterror); words are the twin's.
"""


class EpanetError(TwinError, RuntimeError):
    """EPANET refused an input or a call; `code` is its number, `place` what it is about."""

    def __init__(self, code: int, place: str, detail: str = "") -> None:
        self.code = code
        self.place = place
        name, advice = ERRORS.get(code, ("unknown", "look the code up in the manual of EPANET"))
        told = f": {detail}" if detail else ""
        super().__init__(f"EPANET error {code} ({name}) at {place}{told}; {advice}")
