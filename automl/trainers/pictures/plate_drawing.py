"""Number plates drawn by Pillow, with the font that it brings: letters, a gap, digits, as through a poor camera."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

LETTERS, DIGITS = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"  # without I, O and Q, as on many real plates
_WIDTH, _HEIGHT, _BORDER = 192, 48, 2  # of the drawing, in pixels; then it is brought to the size that is wanted


def drawn_plates(
    part: str, count: int, size: tuple[int, int], distortion: float
) -> tuple[NDArray[np.uint8], list[str]]:
    """Pictures (count, height, width) and texts. size: (width, height). distortion: 0 to 1.

    Plate n of a part depends on its name and n alone, so it is the same in every training, and no two parts have the
    same random numbers.
    """
    plates, texts = np.empty((count, size[1], size[0]), np.uint8), []
    for number in range(count):
        random = np.random.default_rng([*part.encode(), number])
        text = _text(random)
        plates[number] = _distorted(_plate(text, random), random, size, distortion)
        texts.append(text.replace(" ", ""))
    return plates, texts


def _text(random: Generator) -> str:
    """One to two letters, a gap, two to four digits."""
    letters = "".join(random.choice(list(LETTERS), random.integers(1, 3)))
    return f"{letters} {''.join(random.choice(list(DIGITS), random.integers(2, 5)))}"


def _plate(text: str, random: Generator) -> Image.Image:
    ground, ink = int(random.integers(170, 256)), int(random.integers(0, 80))
    picture = Image.new("L", (_WIDTH, _HEIGHT), ground)
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((1, 1, _WIDTH - 2, _HEIGHT - 2), radius=6, outline=ink, width=_BORDER)
    font = _font(int(random.integers(36, 43)))
    pen.text((_WIDTH / 2, _HEIGHT / 2), text, fill=ink, font=font, anchor="mm", stroke_width=1, stroke_fill=ink)
    return picture


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow without FreeType"
    return font


def _distorted(picture: Image.Image, random: Generator, size: tuple[int, int], distortion: float) -> NDArray[np.uint8]:
    """The corners moved apart, a blur, a shadow from side to side, and noise."""
    move = distortion * np.array([0.06 * _WIDTH, 0.2 * _HEIGHT])
    corners = np.array([[0, 0], [0, _HEIGHT], [_WIDTH, _HEIGHT], [_WIDTH, 0]]) + random.uniform(-move, move, (4, 2))
    around = int(random.integers(40, 200))
    photo = picture.transform(
        (_WIDTH, _HEIGHT), Image.Transform.QUAD, corners.ravel().tolist(), Image.Resampling.BILINEAR, fillcolor=around
    )
    photo = photo.filter(ImageFilter.GaussianBlur(distortion * float(random.uniform(0, 2.5))))
    pixels = np.asarray(photo.resize(size, Image.Resampling.BILINEAR), np.float64)
    light = 1 - distortion * random.uniform(0, 0.7) * np.linspace(0, 1, size[0])[:: random.choice([-1, 1])]
    noise = distortion * random.uniform(0, 40) * random.standard_normal(pixels.shape)
    return np.clip(pixels * light + noise, 0, 255).astype(np.uint8)
