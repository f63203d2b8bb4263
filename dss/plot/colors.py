"""Colours of song types: the same for a type in all rows of a figure; grey for noise."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib.colors import to_hex, to_rgb

from dss.data.annotations import NOISE

# The colours of Okabe and Ito, which colour-blind people can distinguish, without yellow and black.
FIRST_COLORS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"]
NOISE_COLOR = "#9a9a9a"
ALL_COLOR = "#303030"  # of all song types together


def song_colors(names: Sequence[str]) -> dict[str, str]:
    """A colour for each song type, by its position among the names; grey for noise.

    Example:
        >>> from dss.plot import song_colors
        >>> sorted(song_colors(["noise", "sine", "pulse"]))
        ['noise', 'pulse', 'sine']
    """
    names = list(dict.fromkeys(names))
    colors = iter(_distinct_colors(len(names)))
    return {name: NOISE_COLOR if name == NOISE else next(colors) for name in names}


def paler(color: str, by: float) -> np.ndarray:
    """Mix a colour with white: 0 leaves it as it is, 1 is white."""
    return 1 - (1 - by) * (1 - np.array(to_rgb(color)))


def to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB colours [n, 3], 0 to 1, to lightness and two colour axes [n, 3]."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    to_lms = [[0.4122, 0.2119, 0.0883], [0.5363, 0.6807, 0.2817], [0.0514, 0.1074, 0.6300]]
    to_lab = [[0.2105, 1.9780, 0.0259], [0.7936, -2.4286, 0.7828], [-0.0041, 0.4506, -0.8087]]
    return np.cbrt(linear @ to_lms) @ to_lab


@lru_cache
def _distinct_colors(n: int) -> list[str]:
    """`n` colours for a white background, each as different as possible from those before it.

    Distance is measured in OKLab space: Bjorn Ottosson, "A perceptual color space for image
    processing", 2020.
    """
    levels = np.linspace(0, 1, 12)
    rgb = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    lab = to_oklab(rgb)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    usable = (lab[:, 0] > 0.35) & (lab[:, 0] < 0.82) & (chroma > 0.08)  # not dark, pale or grey
    rgb, lab = rgb[usable], lab[usable]
    colors = FIRST_COLORS[:n]
    first = to_oklab(np.array([to_rgb(color) for color in FIRST_COLORS]))
    distance = np.linalg.norm(lab[:, None] - first, axis=2).min(axis=1)
    while len(colors) < n:
        farthest = distance.argmax()
        colors.append(to_hex(rgb[farthest]))
        distance = np.minimum(distance, np.linalg.norm(lab - lab[farthest], axis=1))
    return colors
