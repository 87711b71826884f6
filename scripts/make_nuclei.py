"""Makes automl/trainers/data/nuclei.png and nuclei_mask.png, the picture of the segmentation example.

    pip download stardist==0.9.2 --no-deps          # any platform's wheel will do; nothing of it is installed
    python scripts/make_nuclei.py --wheel stardist-0.9.2-*.whl            # writes both files
    python scripts/make_nuclei.py --wheel stardist-0.9.2-*.whl --check    # compares them with those that are there

Nothing is changed: the wheel holds one fluorescence picture of nuclei and its mask (a number for every nucleus, drawn
by hand) as 16-bit TIFF whose values are below 256; as 8-bit PNG they take a sixth of the room.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TARGET = Path(__file__).parent.parent / "automl" / "trainers" / "data"
FILES = {"nuclei.png": "stardist/data/images/img2d.tif", "nuclei_mask.png": "stardist/data/images/mask2d.tif"}


def main() -> int:
    """Writes or compares the files; 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of stardist")
    parser.add_argument("--target", type=Path, default=TARGET, help="folder of the two files")
    parser.add_argument("--check", action="store_true", help="write nothing; compare the pixels")
    options = parser.parse_args()
    wrong = []
    for name, pixels in chosen(options.wheel).items():
        path = options.target / name
        if not options.check:
            Image.fromarray(pixels).save(path, optimize=True)
            print(f"{path}: {path.stat().st_size} bytes")
        else:
            with Image.open(path) as stored:
                if not np.array_equal(np.asarray(stored), pixels):
                    wrong.append(name)
    if options.check:
        print(f"differs: {', '.join(wrong)}" if wrong else f"{options.target}: as it should be")
    return 1 if wrong else 0


def chosen(wheel: Path) -> dict[str, NDArray[np.uint8]]:
    """The name of each file with its pixels, uint8 (512, 512)."""
    pictures = {}
    with zipfile.ZipFile(wheel) as archive:
        for name, inside in FILES.items():
            with Image.open(io.BytesIO(archive.read(inside))) as picture:
                pixels = np.asarray(picture)
            assert pixels.max() < 256, f"{inside} does not fit into 8 bits"
            pictures[name] = pixels.astype(np.uint8)
    return pictures


if __name__ == "__main__":
    sys.exit(main())
