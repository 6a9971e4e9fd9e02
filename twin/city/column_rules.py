"""What a column of a city table holds, and the columns that several tables share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnRule:
    """Describe one column.

    kind      numpy kind: "f", "i", "b" or "U"
    target    table it points to
    optional  whether a row may point nowhere (-1)
    spare     whether a city may leave the column out
    """

    kind: str
    unit: str
    meaning: str
    target: str = ""
    optional: bool = False
    spare: bool = False


ID = ColumnRule("U", "", "unique id")
NAME = ColumnRule("U", "", "name for people")
PLACE = {
    "x": ColumnRule("f", "m", "easting on the city's grid"),
    "y": ColumnRule("f", "m", "northing on the city's grid"),
    "lon": ColumnRule("f", "deg", "longitude, WGS 84"),
    "lat": ColumnRule("f", "deg", "latitude, WGS 84"),
}
GROUND = {
    **PLACE,
    "elevation": ColumnRule("f", "m", "height of the ground; 0 where the report says unknown"),
    "above_river": ColumnRule("f", "m", "ground over the normal river level; 1e6 where no river is known"),
}
NODE = ColumnRule("i", "row", "nearest road node", "nodes")
XY = {"x": PLACE["x"], "y": PLACE["y"]}
WATER_ENDS = {
    "from_node": ColumnRule("i", "row", "water node at one end: junctions, then reservoirs, then tanks"),
    "to_node": ColumnRule("i", "row", "water node at the other end"),
}
PATTERN = ColumnRule("i", "row", "pattern over time, -1 for none", "water_patterns", True)
CURVE = ColumnRule("i", "row", "curve, -1 for none", "water_curves", True)
SPAN = {
    "first": ColumnRule("i", "row", "first of its values"),
    "count": ColumnRule("i", "", "number of its values"),
}
BUS = ColumnRule("i", "row", "bus it hangs on", "buses")
WATTS = ColumnRule("f", "W", "active power")
