"""Shape the ground of a generated city: hills, a river and its flood plain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.city.draws import stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Terrain:
    """Give elevation and distance to the river at any point of the metre grid.

    waves        (n, 4)  wave numbers x, y (rad/m), phase (rad), amplitude (m) of the hills
    bends        (m, 3)  wave number (rad/m), phase (rad), amplitude (m) of the river's meanders
    river_north  m       mean northing of the river relative to the centre
    river_level  m       water level of the river at the centre
    river_fall   m/m     fall of the water level towards the east, at the centre
    river_width  m       width between the banks
    valley       m       distance at which the valley sides rise; nearer the plain is flat
    bank         m       height of the banks over the water
    """

    waves: Floats
    bends: Floats
    river_north: float
    river_level: float
    river_fall: float
    river_width: float
    valley: float
    bank: float

    def river(self, x: Floats) -> Floats:
        """Return the northing of the river's axis at eastings x, relative to the centre."""
        y = np.full_like(x, self.river_north)
        for number, phase, amplitude in self.bends:
            y += amplitude * np.sin(number * x + phase)
        return y

    def slope_of_river(self, x: Floats) -> Floats:
        """Return dy/dx of the river's axis."""
        slope = np.zeros_like(x)
        for number, phase, amplitude in self.bends:
            slope += amplitude * number * np.cos(number * x + phase)
        return slope

    def offset(self, x: Floats, y: Floats) -> Floats:
        """Return the signed distance to the river's axis (m, north positive, first order)."""
        return (y - self.river(x)) / np.sqrt(1.0 + self.slope_of_river(x) ** 2)

    def level(self, x: Floats) -> Floats:
        """Return the normal water level of the river at eastings x (m), never below the sea."""
        return np.asarray(self.river_level * np.exp(-self.river_fall * x / self.river_level))

    def elevation(self, x: Floats, y: Floats) -> Floats:
        """Return the height of the ground (m): banks, a plain that rises by 4 mm per m, then hills."""
        hills = np.zeros_like(x)
        for kx, ky, phase, amplitude in self.waves:
            hills += amplitude * np.sin(kx * x + ky * y + phase)
        relief = np.sum(np.abs(self.waves[:, 3]))
        away = np.maximum(np.abs(self.offset(x, y)) - 0.5 * self.river_width, 0.0)
        rise = 1.0 - np.exp(-((away / self.valley) ** 4))
        gentle = self.bank * np.minimum(away / 20.0, 1.0) + 25.0 * (1.0 - np.exp(-0.00016 * away))
        return np.asarray(self.level(x) + gentle + rise * (0.45 * relief + 0.55 * hills), dtype=np.float64)

    def steepness(self, x: Floats, y: Floats) -> Floats:
        """Return the gradient of the ground (m/m) by differences over 60 m."""
        east = self.elevation(x + 30.0, y) - self.elevation(x - 30.0, y)
        north = self.elevation(x, y + 30.0) - self.elevation(x, y - 30.0)
        return np.asarray(np.hypot(east, north) / 60.0)


def make_terrain(settings: dict[str, float], seed: int) -> Terrain:
    """Draw a terrain from the `terrain` section of a city file."""
    draw = stream(seed, "terrain")
    lengths = np.geomspace(900.0, 4200.0, 7)
    angles = draw.uniform(0.0, 2.0 * np.pi, 7)
    weights = lengths / lengths.sum() * settings["relief"]
    waves = np.stack(
        [
            2.0 * np.pi / lengths * np.cos(angles),
            2.0 * np.pi / lengths * np.sin(angles),
            draw.uniform(0.0, 2.0 * np.pi, 7),
            weights,
        ],
        axis=1,
    )
    bend_lengths = np.array([7400.0, 3100.0, 1350.0])
    bend_sizes = settings["river_meander"] * np.array([1.0, 0.38, 0.11])
    bends = np.stack([2.0 * np.pi / bend_lengths, draw.uniform(0.0, 2.0 * np.pi, 3), bend_sizes], axis=1)
    return Terrain(
        waves=waves,
        bends=bends,
        river_north=settings["river_north"],
        river_level=settings["river_level"],
        river_fall=settings["river_fall"],
        river_width=settings["river_width"],
        valley=settings["valley"],
        bank=settings["bank"],
    )
