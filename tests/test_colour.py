"""Colours between two others, and ink that can be read on them."""

from __future__ import annotations

import numpy as np
import pytest

from charts.colour import between, channels, contrast, ink, oklab, written
from charts.theme import DARK, LIGHT, PRINT

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)


def test_white_black_and_red_have_the_published_coordinates() -> None:
    # Ottosson's definition: white has lightness 1 and no hue; sRGB red is .628, .225, .126.
    np.testing.assert_allclose(oklab(np.ones(3)), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(oklab(np.zeros(3)), [0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(oklab(channels("#FF0000")), [0.628, 0.225, 0.126], atol=5e-4)


@pytest.mark.parametrize(("one", "two"), [("#C8501E", "#FFFFFF"), ("#11161B", "#C9A0E0"), ("#000000", "#FFFFFF")])
def test_steps_between_two_colours_are_even(one: str, two: str) -> None:
    assert (written(between(one, two, 0.0)), written(between(one, two, 1.0))) == (one, two)
    path = np.array([oklab(between(one, two, share)) for share in np.linspace(0, 1, 9)])
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    # Rounding aside they are equal; a colour outside what a screen has would be cut.
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.02)


@THEMES
def test_what_is_rewarded_is_as_strong_as_what_is_punished(theme) -> None:
    less, more = (oklab(channels(theme.judges[k])) for k in (0, 2))
    ground = oklab(channels(theme.background))
    assert np.linalg.norm(less - ground) == pytest.approx(np.linalg.norm(more - ground), rel=0.15)
    # In grey both look alike, so that the sign must be written.
    assert abs(less[0] - more[0]) < 0.08


@THEMES
def test_ink_can_be_read_on_every_shade(theme) -> None:
    for side in (0, 2):
        for share in np.linspace(0, 1, 11):
            ground = between(theme.background, theme.judges[side], float(share))
            assert contrast(channels(ink(ground)), ground) >= 4.5
    assert ink(np.ones(3)) == "#000000"
    assert ink(np.ones(3), ("#0B1218", "#FFFFFF")) == "#0B1218"
