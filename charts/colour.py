"""Which text can be read on a ground, and which colours lie evenly between two?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

INKS = ("#000000", "#FFFFFF")
"""Nothing but black and white reads on all shades between."""


def channels(colour: str) -> np.ndarray:
    """#RRGGBB as (3,) red, green and blue in [0, 1]."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255


def written(rgb: np.ndarray) -> str:
    """(3,) channels in [0, 1] as #RRGGBB."""
    return "#" + "".join(f"{round(255 * float(c)):02X}" for c in np.clip(rgb, 0.0, 1.0))


def contrast(one: np.ndarray, two: np.ndarray) -> float:
    """Contrast ratio of two colours (rgb in [0, 1]) as WCAG 2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def ink(ground: np.ndarray, inks: Sequence[str] = INKS) -> str:
    """The one of these colours that reads best on a ground."""
    return max(inks, key=lambda one: contrast(channels(one), ground))


def _luminance(rgb: np.ndarray) -> float:
    """Relative luminance as WCAG 2 defines it."""
    return float(_linear(rgb) @ [0.2126, 0.7152, 0.0722])


def _linear(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


# Oklab (Ottosson 2020): equal steps look equal.
_TO_LMS = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_TO_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def oklab(rgb: np.ndarray) -> np.ndarray:
    """(3,) lightness and two axes of hue, in which equal distances look about equal."""
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ _linear(rgb)))


def between(one: str, two: str, share: float) -> np.ndarray:
    """(3,) the colour that lies that share of the way from one to the other, as the eye measures it."""
    lab = (1 - share) * oklab(channels(one)) + share * oklab(channels(two))
    linear = np.clip(np.linalg.solve(_TO_LMS, np.linalg.solve(_TO_LAB, lab) ** 3), 0.0, 1.0)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))
