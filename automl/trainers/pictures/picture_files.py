"""Pictures and masks in files: how they are read, which belong together, and strips of pictures to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from automl import training
from automl.errors import SpecError

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
PACKAGED = Path(__file__).parent.parent / "data"
_GAP = 4  # pixels between the pictures of a strip


def read_picture(path: Path) -> NDArray[np.float32]:
    """Three channels (3, h, w), each from 0 to 1; a grey picture has three that are equal. Raises SpecError."""
    with _opened(path) as picture:
        if _has_16_bits(picture):
            grey = np.asarray(picture).astype(np.float32) / 65535
            return np.repeat(grey[None], 3, axis=0)
        colours = np.asarray(picture.convert("RGB")).astype(np.float32) / np.float32(255)
        return np.ascontiguousarray(colours.transpose(2, 0, 1))


def read_pixels(path: Path, size: tuple[int, int], mode: str = "RGB") -> NDArray[np.uint8]:
    """The picture as bytes (channels, height, width), brought to `size`, which is (width, height). Raises SpecError.

    mode: Pillow's, RGB or L for one grey channel.
    """
    picture = _opened(path)
    if _has_16_bits(picture):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))  # Pillow would cut off at 255
    pixels = np.asarray(picture.convert(mode).resize(size, Image.Resampling.BILINEAR))
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


def read_mask(path: Path) -> NDArray[np.int64]:
    """The number of each pixel (h, w). Raises SpecError for a picture in colours."""
    with _opened(path) as picture:
        if picture.mode not in {"1", "L", "P"} and not _has_16_bits(picture):
            raise SpecError(
                f"the mask {path} has colours (mode {picture.mode})", allowed="one grey value or index for each pixel"
            )
        return np.asarray(picture).astype(np.int64)


def _has_16_bits(picture: Image.Image) -> bool:
    """A pixel, as microscopes give them; Pillow holds some of them in 32."""
    return picture.mode.startswith("I")


def _opened(path: Path) -> Image.Image:
    try:
        with path.open("rb") as file, Image.open(file) as picture:
            return picture.copy()
    except (OSError, SyntaxError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise SpecError(
            f"the picture {path} cannot be read ({error})", allowed=", ".join(ENDINGS), advice="fix or remove it"
        ) from error


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name. Raises SpecError when there is no folder, or none in it."""
    if not folder.is_dir():
        raise SpecError(f"there is no folder {folder}")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not files:
        raise SpecError(f"the folder {folder} holds no pictures", allowed=f"files that end in {', '.join(ENDINGS)}")
    return files


def pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Each picture with the mask of the same name; the endings may differ. Raises SpecError when one has none."""
    files = pictures_in(images)
    by_name = {path.stem: path for path in pictures_in(masks)}
    missing = [path.name for path in files if path.stem not in by_name]
    if missing:
        raise SpecError(
            f"{len(missing)} of the {len(files)} pictures in {images} have no mask in {masks}, as {missing[0]}",
            advice="a mask has the name of its picture",
        )
    return [(path, by_name[path.stem]) for path in files]


def write_strip(path: Path, panels: Sequence[NDArray[np.uint8]]) -> None:
    """Writes pictures (h, w, 3) of one height side by side as a PNG, whole or not at all."""
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, np.uint8)
    strip = np.concatenate([part for panel in panels for part in (gap, panel)][1:], axis=1)
    picture = Image.fromarray(strip)
    training.save_atomically(path, lambda file: picture.save(file, "PNG", optimize=True))
