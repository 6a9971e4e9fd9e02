"""Write small maps and networks for tests: a town of two crossing streets and a ring."""

from __future__ import annotations

import gzip

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n'


def node(number, lon, lat, **tags):
    inner = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    return f'<node id="{number}" lon="{lon}" lat="{lat}">{inner}</node>\n'


def way(number, refs, **tags):
    inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    inner += "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{number}">{inner}</way>\n'


def town():
    """Return a map in Central Java: a crossing with a signal, a hospital, a ring road.

    Nodes 1-2-3 run west to east with 2 as the crossing, 4-2-5 south to north; the ring
    1-4-3-5-1 is a primary road. Node 6 bends the street from 2 to 3. Spacing 0.01 degree.
    """
    lon, lat = 110.42, -7.0
    text = HEAD
    text += node(1, lon - 0.01, lat) + node(2, lon, lat, highway="traffic_signals") + node(3, lon + 0.01, lat)
    text += node(4, lon, lat - 0.01) + node(5, lon, lat + 0.01) + node(6, lon + 0.005, lat + 0.001)
    text += node(7, lon + 0.0008, lat + 0.0011, amenity="hospital", name="RS Uji")
    text += way(10, [1, 2], highway="secondary", name="Jalan Barat", maxspeed="40", lanes="2")
    text += way(11, [2, 6, 3], highway="secondary", name="Jalan Timur")
    text += way(12, [4, 2, 5], highway="residential")
    text += way(13, [1, 4, 3, 5, 1], highway="primary", name="Lingkar", lanes="4", maxspeed="30 mph")
    text += way(14, [2, 7], highway="footway")
    return text + "</osm>\n"


def write_town(folder, name="town.osm", text=None):
    path = folder / name
    content = (town() if text is None else text).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 3
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 4
<END OF METADATA>

~ init term capacity length time b power speed toll type ;
1 3 1800 2 4 0.15 4 0 0 1 ;
3 1 1800 2 4 0.15 4 0 0 1 ;
3 2 3600 1 1 0.15 4 0 0 1 ;
2 3 3600 1 1 0.15 4 0 0 1 ;
"""
TRIPS = """<NUMBER OF ZONES> 2
<TOTAL OD FLOW> 150.0
<END OF METADATA>

Origin 1
    1 :    0.0;    2 :    100.0;
Origin 2
    1 :    50.0;
"""
