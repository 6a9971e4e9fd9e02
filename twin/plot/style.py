"""Hold the common look of every picture: colours, captions, scale bar, north arrow, PNG."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
"""Colours told apart with every kind of colour blindness; Okabe and Ito, Color Universal Design (2008)."""

INK, MUTED, FAINT, PAPER = "#222222", "#5f6368", "#c9ccd1", "#ffffff"
WATER, LOWLAND = "#8fc1e3", "#e3eff8"
DRY_WATER, DRY_LOWLAND = "#adb2ba", "#e7e8eb"
"""River and low ground in grey, for a map on which blue means something else."""

ARM_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)
DPI = 110

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 12.0,
    "axes.titlesize": 15.0,
    "axes.labelsize": 12.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "legend.fontsize": 11.0,
    "legend.framealpha": 0.92,
    "legend.edgecolor": FAINT,
    "figure.dpi": DPI,
    "figure.facecolor": PAPER,
    "svg.fonttype": "none",
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.12,
}


@dataclass(frozen=True, slots=True)
class Caption:
    """Say what a picture shows: scenario, arm and local time, in its second title line."""

    scenario: str = ""
    arm: str = ""
    time: str = ""

    def lines(self, width: int = 70) -> list[str]:
        """Return the parts that are known, wrapped into lines; a part is broken only where it fills a line alone."""
        found: list[str] = []
        for part in (self.scenario, self.arm, self.time):
            if found and part and len(found[-1]) + 3 + len(part) <= width:
                found[-1] += f" · {part}"
            else:
                found += textwrap.wrap(part, width)
        return found


@dataclass(frozen=True, slots=True)
class Scale:
    """Describe classes of a quantity on a map.

    title   what the map shows, in plain words
    label   text of the colour bar, with the unit
    edges   class limits, rising; values beyond the ends fall in the end classes
    colours one per class, in the same order
    quiet   values up to this are drawn as plain streets
    worst_low  the lowest class is what a map is looked at for, such as a speed
    """

    title: str
    label: str
    edges: tuple[float, ...]
    colours: tuple[str, ...]
    quiet: float = -np.inf
    worst_low: bool = False

    def norm(self) -> tuple[Colormap, BoundaryNorm]:
        """Return the colour map and norm that matplotlib needs."""
        return ListedColormap(list(self.colours)), BoundaryNorm(self.edges, len(self.colours))

    def rank(self, value: Floats) -> NDArray[np.int64]:
        """Return the class of each value, 0 for the first."""
        inner = np.asarray(self.edges[1:-1])
        return np.searchsorted(inner, np.nan_to_num(value, nan=self.edges[0]), side="right")

    def severity(self, value: Floats) -> NDArray[np.int64]:
        """Return the class of each value counted from the harmless end, 0 for the first."""
        rank = self.rank(value)
        return len(self.colours) - 1 - rank if self.worst_low else rank


def shades(name: str, count: int, low: float = 0.0, high: float = 1.0) -> tuple[str, ...]:
    """Return `count` colours between two places of a named colour map."""
    picked = mpl.colormaps[name](np.linspace(low, high, count))
    return tuple(mpl.colors.to_hex(colour) for colour in picked)


def style() -> Any:
    """Return a context in which matplotlib draws in the look of the twin."""
    return mpl.rc_context(_SETTINGS)


def axes_or_new(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return the given axes, or those of a new figure of `size` inches.

    A given figure without a layout of its own gets one that keeps bars and legends off each other.
    """
    if ax is not None:
        made: Any = ax.figure.figure
        if made.get_layout_engine() is None:
            made.set_layout_engine("constrained")
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=size, layout="constrained")[1]


def figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure (inches) outside pyplot, that nobody has to close, and its axes."""
    made = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    return made, made.subplots()


def set_title(ax: Axes, text: str, caption: Caption | None = None) -> None:
    """Write what is shown in bold and scenario, arm and local time below it."""
    lines = caption.lines() if caption else []
    ax.set_title(plain(text), loc="left", fontweight="bold", pad=8.0 + 17.0 * len(lines))
    if lines:
        note = ax.annotate(
            plain("\n".join(lines)), (0.0, 1.0), (0.0, 7.0), xycoords="axes fraction", textcoords="offset points",
            color=MUTED, fontsize=12.0, annotation_clip=False,
        )  # fmt: skip
        note.set_in_layout(False)


def plain(text: str) -> str:
    """Return text that matplotlib shows as it is, without reading a dollar sign as mathematics."""
    return text.replace("$", r"\$")


def frame_map(ax: Axes, xy: Floats, to_scale: bool = True) -> None:
    """Set equal scales around points (n, 2) in metres; leave room for scale bar and north.

    to_scale  False for a scheme, whose units are no metres: it gets neither bar nor arrow
    """
    if not len(xy):
        xy = np.array([[0.0, 0.0], [1000.0, 1000.0]])
    low, high = xy.min(axis=0), xy.max(axis=0)
    wide = float((high - low).max())
    pad = 0.04 * (max(wide, 200.0) if to_scale else wide or 1.0)
    ax.set_xlim(low[0] - pad, high[0] + pad)
    ax.set_ylim(low[1] - 2.6 * pad, high[1] + pad)
    ax.set_aspect("equal", anchor="W")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("")
    ax.set_ylabel("")
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(FAINT)
    if to_scale:
        scale_bar(ax)
        north_arrow(ax)


def scale_bar(ax: Axes) -> None:
    """Draw a bar of a round length, about a fifth of the map, at the lower left."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    length = round_length(0.22 * (right - left))
    x, y = left + 0.035 * (right - left), bottom + 0.028 * (top - bottom)
    tick = 0.010 * (top - bottom)
    ax.plot(
        [x, x, x + length, x + length], [y + tick, y, y, y + tick],
        color=INK, linewidth=1.8, solid_capstyle="butt", solid_joinstyle="miter", zorder=30,
    )  # fmt: skip
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    ax.text(x + length / 2, y + 1.2 * tick, text, ha="center", va="bottom", fontsize=11.5, zorder=30)


def round_length(limit: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is not above `limit`.

    >>> round_length(1730.0), round_length(640.0)
    (1000.0, 500.0)
    """
    power = 10.0 ** np.floor(np.log10(limit))
    return float(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= limit))


def north_arrow(ax: Axes) -> None:
    """Draw an arrow to grid north beside the scale bar."""
    ax.annotate(
        "N", (0.335, 0.082), (0.335, 0.020), xycoords="axes fraction", ha="center", va="bottom", fontsize=12,
        fontweight="bold", zorder=30,
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def colour_bar(ax: Axes, scale: Scale, ticks: Sequence[str] | None = None) -> None:
    """Draw the classes of a scale below a map, with limits and unit; the last class is open."""
    cmap, norm = scale.norm()
    mappable = mpl.cm.ScalarMappable(norm, cmap)
    bar = ax.figure.colorbar(
        mappable, ax=ax, orientation="horizontal", shrink=0.9, aspect=38, pad=0.012, spacing="uniform"
    )
    bar.set_ticks(list(scale.edges))
    bar.set_ticklabels(list(ticks) if ticks else [*(f"{edge:g}" for edge in scale.edges[:-1]), f"{scale.edges[-1]:g}+"])
    bar.set_label(plain(scale.label))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)


def png(made: Figure, dpi: int = DPI, colours: int = 128) -> bytes:
    """Return a figure as a PNG with an adaptive palette, about a third of the full-colour size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    own = made.canvas
    made.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(made)
    try:
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    finally:
        made.set_canvas(own)
    image = _trimmed(image).quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.array(image.getpalette()).reshape(-1, 3)
    palette[(palette > 251).all(axis=1)] = 255
    image.putpalette(palette.ravel().tolist())
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _trimmed(image: Any, margin: int = 10) -> Any:
    """Return an image without its blank borders, but for a margin of some pixels."""
    from PIL import Image, ImageChops

    blank = Image.new(image.mode, image.size, PAPER)
    box = ImageChops.difference(image, blank).getbbox()
    if box is None:
        return image
    left, top, right, bottom = box
    return image.crop(
        (
            max(left - margin, 0),
            max(top - margin, 0),
            min(right + margin, image.width),
            min(bottom + margin, image.height),
        )
    )
